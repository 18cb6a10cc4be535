#include "core/sets/extras.hpp"

#include <algorithm>
#include <utility>

namespace nsr::sets {

namespace {

constexpr std::uint32_t kHasMac = 0x80000000;

std::uint64_t load64(const std::uint32_t* words) {
    return words[0] | std::uint64_t{words[1]} << 32;
}

void store64(std::uint32_t* words, std::uint64_t value) {
    words[0] = static_cast<std::uint32_t>(value);
    words[1] = static_cast<std::uint32_t>(value >> 32);
}

}  // namespace

Extras::Extras(const SetSpec& spec) {
    nomatch_at_ = take(spec.type->has_nomatch(), 1);
    deadline_at_ = take(spec.timeout.has_value(), 1);
    counters_at_ = take(spec.counters, 4);
    comment_at_ = take(spec.comment, 1);
    skbinfo_at_ = take(spec.skbinfo, 4);
    mac_at_ = take(spec.type->storage == Storage::Bitmap && spec.type->has(Part::Mac), 2);
}

Extras::Offset Extras::take(bool wanted, unsigned words) {
    return wanted ? Offset(std::exchange(words_, words_ + words)) : std::nullopt;
}

// kernel: ip_set_timeout_set
void Extras::set_deadline(std::uint32_t* row, std::uint32_t seconds, Instant now) const {
    if (!deadline_at_) {
        return;
    }
    const Jiffies at = to_jiffies(now) + seconds_to_jiffies(std::min(seconds, kMaxTimeout));
    row[*deadline_at_] = seconds == 0 ? 0 : std::max<Jiffies>(at, 1);
}

Extras::Counters Extras::counters(const std::uint32_t* row) const {
    return {load64(row + *counters_at_), load64(row + *counters_at_ + 2)};
}

void Extras::set_counters(std::uint32_t* row, const Counters& counters) const {
    store64(row + *counters_at_, counters.packets);
    store64(row + *counters_at_ + 2, counters.bytes);
}

std::optional<SkbInfo> Extras::skbinfo(const std::uint32_t* row) const {
    if (!skbinfo_at_) {
        return std::nullopt;
    }
    const std::uint32_t* at = row + *skbinfo_at_;
    return SkbInfo{at[0], at[1], at[2], static_cast<std::uint16_t>(at[3])};
}

std::optional<MacAddress> Extras::mac(const std::uint32_t* row) const {
    if (!mac_at_ || (row[*mac_at_ + 1] & kHasMac) == 0) {
        return std::nullopt;
    }
    const std::uint32_t* at = row + *mac_at_;
    MacAddress mac{};
    for (unsigned i = 0; i < mac.size(); ++i) {
        mac[i] = static_cast<std::uint8_t>(at[i / 4] >> (i % 4 * 8));
    }
    return mac;
}

void Extras::set_mac(std::uint32_t* row, const std::optional<MacAddress>& mac) const {
    if (!mac_at_ || !mac) {
        return;
    }
    std::uint32_t* at = row + *mac_at_;
    at[0] = 0;
    at[1] = kHasMac;
    for (unsigned i = 0; i < mac->size(); ++i) {
        at[i / 4] |= std::uint32_t{(*mac)[i]} << (i % 4 * 8);
    }
}

void Extras::write(std::uint32_t* row, const Extensions& given, std::uint32_t default_timeout,
                   Instant now) {
    if (nomatch_at_) {
        row[*nomatch_at_] = given.nomatch ? 1 : 0;
    }
    set_deadline(row, given.timeout.value_or(default_timeout), now);
    if (counters_at_) {
        const Counters known = counters(row);
        set_counters(row,
                     {given.packets.value_or(known.packets), given.bytes.value_or(known.bytes)});
    }
    if (comment_at_) {
        write_comment(row[*comment_at_], given.comment);
    }
    if (skbinfo_at_) {
        const SkbInfo info = given.skbinfo.value_or(SkbInfo{});
        std::uint32_t* at = row + *skbinfo_at_;
        at[0] = info.mark;
        at[1] = info.mark_mask;
        at[2] = info.priority;
        at[3] = info.queue;
    }
}

Extensions Extras::read(const std::uint32_t* row, Instant now) const {
    Extensions known;
    known.nomatch = nomatch(row);
    if (deadline_at_) {
        const Jiffies at = deadline(row);
        const std::int32_t left = jiffies_until(at, to_jiffies(now));
        known.timeout =
            at == 0
                ? 0
                : static_cast<std::uint32_t>(std::max(left / std::int32_t{kJiffiesPerSecond}, 1));
    }
    if (counters_at_) {
        const Counters counted = counters(row);
        known.packets = counted.packets;
        known.bytes = counted.bytes;
    }
    if (comment_at_ && row[*comment_at_] != 0) {
        known.comment = comments_[row[*comment_at_] - 1];
    }
    known.skbinfo = skbinfo(row);
    return known;
}

void Extras::write_comment(std::uint32_t& word, const std::optional<std::string>& comment) {
    if (word != 0) {
        comment_bytes_ -= comments_[word - 1].size() + sizeof(std::string);
        std::string().swap(comments_[word - 1]);
        free_comments_.push_back(std::exchange(word, 0) - 1);
    }
    if (!comment || comment->empty()) {
        return;
    }
    if (free_comments_.empty()) {
        comments_.emplace_back();
        free_comments_.push_back(static_cast<std::uint32_t>(comments_.size() - 1));
    }
    const std::uint32_t at = free_comments_.back();
    free_comments_.pop_back();
    comments_[at] = *comment;
    comment_bytes_ += comment->size() + sizeof(std::string);
    word = at + 1;
}

void Extras::release(const std::uint32_t* row) {
    if (comment_at_) {
        std::uint32_t word = row[*comment_at_];
        write_comment(word, std::nullopt);
    }
}

void Extras::clear(std::deque<std::deque<std::string>>& texts) {
    if (!comments_.empty()) {
        texts.push_back(std::exchange(comments_, {}));
    }
    free_comments_.clear();
    comment_bytes_ = 0;
}

}  // namespace nsr::sets
