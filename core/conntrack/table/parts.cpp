#include "core/conntrack/table/parts.hpp"

#include <algorithm>
#include <utility>

namespace nsr::conntrack {
namespace {

enum ArenaNumber : unsigned { Records, Addresses, Extras, Helps };

}  // namespace

TableParts::TableParts(SipKey key, std::uint32_t count, std::unique_ptr<Memory> from)
    : memory(from ? std::move(from) : anonymous_memory()),
      hash(key),
      records(*memory, Records, 0),
      addresses(*memory, Addresses, kNoSide + 1),
      extras(*memory, Extras, kNoSide + 1),
      helps(*memory, Helps, kNoSide + 1),
      index(*this, *memory, lines_for(count)),
      wheel(records),
      eviction(records),
      buckets(count) {
}

bool TableParts::enter(std::uint32_t number, Jiffies now) {
    foreseen.clear();  // another connection may have a number of theirs from now on
    const auto [original, reply] = hashes_of(number);
    if (!index.insert(original, number)) {
        return false;
    }
    if (reply != original && !index.insert(reply, number | kReplyReference)) {
        index.erase(original, number);
        return false;
    }
    Connection& record = records[number];
    record.status &= ~status::kOneReference;
    record.status |= reply == original ? status::kOneReference : 0;
    wheel.arm(number, now);
    return true;
}

// kernel: __nf_conntrack_hash_insert, which adds at the head of the chain
void TableParts::put_first(std::uint32_t number) {
    for (const Reference own : {number, number | kReplyReference}) {
        if (own == number || !records[number].has(status::kOneReference)) {
            const TupleKey key = key_under(own);
            index.put_first(hash(key), own,
                            [&](Reference other) { return match(other, key).has_value(); });
        }
    }
}

void TableParts::foresee(std::span<const ConnId> leaving) {
    foreseen.clear();
    next_foreseen = 0;
    PrefetchList lines;
    for (const ConnId id : leaving) {
        const Hashes hashes = hashes_of(raw(id));
        lines.add(index.home_line(hashes.original));
        if (hashes.reply != hashes.original) {
            lines.add(index.home_line(hashes.reply));
        }
        foreseen.push_back({raw(id), hashes});
    }
    lines.prefetch();
}

void TableParts::leave(std::uint32_t number) {
    const auto [original, reply] = foreseen_or_hashes_of(number);
    index.erase(original, number);
    if (reply != original) {
        index.erase(reply, number | kReplyReference);
    }
    wheel.disarm(number);
}

void TableParts::free_sides(Connection& record) {
    if (record.v6 != kNoSide) {
        addresses.release(std::exchange(record.v6, kNoSide));
    }
    if (record.extra != kNoSide) {
        if (const std::uint32_t help = extras[record.extra].help; help != kNoSide) {
            helps.release(help);
        }
        extras.release(std::exchange(record.extra, kNoSide));
    }
}

std::uint32_t TableParts::commit_word(std::uint32_t number) const {
    const Connection& record = records[number];
    std::uint64_t sum = 0x9ae16a3b2f90404f;
    const auto add = [&sum](std::uint64_t high, std::uint64_t low) {
        const WideProduct product =
            multiply(sum ^ (high << 32 | low), 0x9fb21c651e98df25 + (sum << 1));
        sum = product.low ^ product.high;
    };
    add(number, record.zone);
    for (const Direction direction : {Direction::Original, Direction::Reply}) {
        const TupleKey key = key_of(record, direction);
        add(key.stored.source, key.stored.destination);
        add(key.stored.source_port, key.stored.destination_port);
        add(static_cast<std::uint32_t>(key.family) << 8 | key.protocol, key.zone);
        if (key.family == Family::Ipv6) {
            add((*key.source6)[0], (*key.source6)[1]);
            add((*key.source6)[2], (*key.source6)[3]);
            add((*key.destination6)[0], (*key.destination6)[1]);
            add((*key.destination6)[2], (*key.destination6)[3]);
        }
    }
    const auto word = static_cast<std::uint32_t>(sum >> 32);
    return word != 0 ? word : 1;
}

TableParts::Hashes TableParts::hashes_of(std::uint32_t number) const {
    return {hash_of(number), hash_of(number | kReplyReference)};
}

TableParts::Hashes TableParts::foreseen_or_hashes_of(std::uint32_t number) {
    const bool known = next_foreseen < foreseen.size() && foreseen[next_foreseen].number == number;
    return known ? foreseen[next_foreseen++].hashes : hashes_of(number);
}

std::uint64_t TableParts::hash_of(Reference reference) const {
    return hash(key_under(reference));
}

void TableParts::prefetch(Reference reference) const {
    nsr::prefetch(&records[reference & kReferenceNumber]);
}

std::uint32_t lines_for(std::uint32_t buckets) {
    const std::uint64_t lines = std::uint64_t{buckets} * 4 / 10 + 1;
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(lines, 0x10000000));
}

}  // namespace nsr::conntrack
