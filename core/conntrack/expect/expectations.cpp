#include "core/conntrack/expect/expectations.hpp"

#include <algorithm>
#include <array>

namespace nsr::conntrack {

namespace {

bool is_over(const Expectation& expectation, Jiffies now) {
    return jiffies_until(expectation.deadline, now) <= 0;
}

bool same_destination(const Tuple& a, const Tuple& b) {
    return a.destination == b.destination && a.destination_port == b.destination_port &&
           a.protocol == b.protocol;
}

}  // namespace

Expectation expect(ConnId master, const ExpectedFlow& flow, std::uint8_t of_class) {
    Expectation expectation;
    expectation.master = master;
    expectation.of_class = of_class;
    expectation.source_given = flow.source.family != Family::None;
    expectation.source_port_given = flow.source_port != 0;
    expectation.tuple.source = flow.source;
    if (!expectation.source_given) {
        expectation.tuple.source = IpAddress{{}, flow.destination.family};
    }
    expectation.tuple.destination = flow.destination;
    expectation.tuple.source_port = flow.source_port;
    expectation.tuple.destination_port = flow.destination_port;
    expectation.tuple.protocol = flow.protocol;
    expectation.saved_address = IpAddress{{}, flow.destination.family};
    return expectation;
}

bool fits(const Expectation& expectation, const Tuple& tuple) {
    return same_destination(expectation.tuple, tuple) &&
           (!expectation.source_given || expectation.tuple.source == tuple.source) &&
           (!expectation.source_port_given || expectation.tuple.source_port == tuple.source_port);
}

bool same_flow(const Expectation& a, const Expectation& b) {
    return a.tuple == b.tuple && a.source_given == b.source_given &&
           a.source_port_given == b.source_port_given;
}

bool overlap(const Expectation& a, const Expectation& b) {
    const bool sources = a.source_given && b.source_given;
    const bool ports = a.source_port_given && b.source_port_given;
    return same_destination(a.tuple, b.tuple) && (!sources || a.tuple.source == b.tuple.source) &&
           (!ports || a.tuple.source_port == b.tuple.source_port);
}

// kernel: nf_ct_expect_dst_hash
std::size_t Expectations::bucket_of(const Tuple& tuple) const {
    const auto& address = tuple.destination.words;
    const std::array<std::uint64_t, 3> words = {
        std::uint64_t{address[0]} << 32 | address[1], std::uint64_t{address[2]} << 32 | address[3],
        std::uint64_t{tuple.destination_port} << 8 | tuple.protocol};
    return siphash13(key_, words.data(), words.size()) % kBuckets;
}

ExpectId Expectations::find(const Tuple& tuple, Jiffies now, const Wanted& wanted) const {
    return find_beside(tuple, now, [&](const Expectation& expectation) {
        return !expectation.inactive && fits(expectation, tuple) && wanted(expectation);
    });
}

ExpectId Expectations::find_beside(const Tuple& tuple, Jiffies now, const Wanted& wanted) const {
    if (count_ == 0) {
        return kNone;
    }
    for (ExpectId id = buckets_[bucket_of(tuple)]; id != kNone; id = slots_[id - 1].in_bucket) {
        const Expectation& expectation = slots_[id - 1].body;
        if (!is_over(expectation, now) && wanted(expectation)) {
            return id;
        }
    }
    return kNone;
}

ExpectId Expectations::insert(const Expectation& expectation, std::uint32_t& newest) {
    ExpectId id = free_;
    if (id != kNone) {
        free_ = slots_[id - 1].in_bucket;
    } else {
        slots_.emplace_back();
        id = static_cast<ExpectId>(slots_.size());
    }
    ExpectId& bucket = buckets_[bucket_of(expectation.tuple)];
    slots_[id - 1] = {expectation, true, bucket, newest};
    bucket = id;
    newest = id;
    ++count_;
    hasten(expectation.deadline);
    return id;
}

void Expectations::hasten(Jiffies deadline) {
    if (!due_ || jiffies_until(deadline, *due_) < 0) {
        due_ = deadline;
    }
}

void Expectations::activate(ExpectId id, Jiffies deadline) {
    slots_[id - 1].body.inactive = false;
    slots_[id - 1].body.deadline = deadline;
    hasten(deadline);
}

void Expectations::erase(ExpectId id, std::uint32_t& newest) {
    Slot& slot = slots_[id - 1];
    ExpectId* link = &buckets_[bucket_of(slot.body.tuple)];
    while (*link != id) {
        link = &slots_[*link - 1].in_bucket;
    }
    *link = slot.in_bucket;
    link = &newest;
    while (*link != id) {
        link = &slots_[*link - 1].older;
    }
    *link = slot.older;
    slot.used = false;
    slot.in_bucket = free_;
    free_ = id;
    --count_;
}

ExpectId Expectations::next(ExpectId after) const {
    for (std::size_t i = after; i < slots_.size(); ++i) {
        if (slots_[i].used) {
            return static_cast<ExpectId>(i + 1);
        }
    }
    return kNone;
}

void Expectations::collect_expired(Jiffies now, std::vector<ExpectId>& out) {
    if (!due_ || jiffies_until(*due_, now) > 0) {
        return;
    }
    due_.reset();
    for (ExpectId id = next(kNone); id != kNone; id = next(id)) {
        if (is_over((*this)[id], now)) {
            out.push_back(id);
        } else {
            hasten((*this)[id].deadline);
        }
    }
}

}  // namespace nsr::conntrack
