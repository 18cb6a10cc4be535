#include "core/conntrack/event_cache.hpp"

#include <algorithm>
#include <utility>

#include "core/base/check.hpp"
#include "core/conntrack/record/told.hpp"

namespace nsr::conntrack {

void EventCache::subscribe(EventSubscriber& subscriber) {
    NSR_CHECK(!delivering_);
    subscribers_.push_back(&subscriber);
}

void EventCache::unsubscribe(EventSubscriber& subscriber) {
    NSR_CHECK(!delivering_);
    std::erase(subscribers_, &subscriber);
    if (!listening()) {
        cached_ = ConnId::None;
    }
}

void EventCache::add(ConnId id, std::uint32_t bits) {
    if (!table_[id].has(status::kEvents)) {
        return;
    }
    if (id != cached_) {
        const ConnId other = std::exchange(cached_, id);
        const std::uint32_t left = std::exchange(cached_bits_, 0);
        if (other != ConnId::None) {
            if (Extra* extra = table_.need_extra(other)) {
                extra->cached_events |= left & event::kAll;
            }
        }
    }
    cached_bits_ |= bits;
}

void EventCache::deliver(ConnId id, Instant now) {
    if (!table_[id].has(status::kConfirmed | status::kEvents) || table_[id].has(status::kDying)) {
        return;
    }
    std::uint32_t bits = 0;
    if (id == cached_) {
        bits = cached_bits_;
        cached_ = ConnId::None;
        cached_bits_ = 0;
    }
    if (Extra* extra = table_.extra(id)) {
        bits |= extra->cached_events;
        extra->cached_events = 0;
    }
    if (bits != 0) {
        report(id, bits, now);
    }
}

void EventCache::report(ConnId id, std::uint32_t bits, Instant now, ChangedBy by) {
    if (!listening() || !table_[id].has(status::kConfirmed | status::kEvents)) {
        return;
    }
    const Extra* extra = table_.extra(id);
    if (extra != nullptr && extra->event_mask != 0 && (extra->event_mask & bits) == 0) {
        return;
    }
    NSR_CHECK(!std::exchange(delivering_, true));
    const Event event{id, bits, now, conntrack_, by};
    for (EventSubscriber* subscriber : subscribers_) {
        subscriber->conntrack_event(event);
    }
    delivering_ = false;
}

void EventCache::report_expectation(const Expectation& expectation, bool ends, Instant now) {
    if (!listening() || !table_[expectation.master].has(status::kEvents)) {
        return;
    }
    const Extra* extra = table_.extra(expectation.master);
    const std::uint32_t mask = extra == nullptr ? 0 : extra->event_mask;
    if (mask != 0 && (ends || (mask & kTellsExpectations) == 0)) {
        return;
    }
    NSR_CHECK(!std::exchange(delivering_, true));
    const ExpectationEvent event{expectation, ends, now, conntrack_};
    for (EventSubscriber* subscriber : subscribers_) {
        subscriber->expectation_event(event);
    }
    delivering_ = false;
}

void EventCache::forget(ConnId id) {
    if (id == cached_) {
        cached_ = ConnId::None;
        cached_bits_ = 0;
    }
}

}  // namespace nsr::conntrack
