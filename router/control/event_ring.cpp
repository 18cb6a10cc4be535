#include "router/control/event_ring.hpp"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "router/tools/conntrack/event.hpp"

namespace nsr::router {

EventRing::EventRing(Router& router, std::size_t capacity)
    : router_(router), capacity_(std::max<std::size_t>(capacity, 1)) {
}

EventRing::~EventRing() {
    if (listening_) {
        router_.unsubscribe(*this);
    }
}

void EventRing::join() {
    ++readers_;
    if (!std::exchange(listening_, true)) {
        records_.reserve(capacity_);
        base_ = held_.next;
        router_.subscribe(*this);
    }
}

void EventRing::leave() {
    --readers_;
    if (readers_ == 0 && on_deserted) {
        on_deserted();
    }
}

// One number for all that nobody will have seen.
void EventRing::stop_if_deserted() {
    if (readers_ != 0 || !std::exchange(listening_, false)) {
        return;
    }
    router_.unsubscribe(*this);
    std::vector<EventRecord>().swap(records_);
    held_.unwatched = held_.next++;
    held_.first = held_.next;
}

void EventRing::conntrack_event(const conntrack::Event& event) {
    keep(record_of(event));
}

void EventRing::expectation_event(const conntrack::ExpectationEvent& event) {
    keep(record_of(event));
}

void EventRing::keep(const EventRecord& record) {
    const std::size_t slot = slot_of(held_.next);
    if (slot == records_.size()) {
        records_.push_back(record);
    } else {
        records_[slot] = record;
    }
    ++held_.next;
    if (held_.next - held_.first > capacity_) {
        ++held_.first;
    }
    if (std::exchange(awaited_, false) && on_event) {
        on_event();
    }
}

EventStream::~EventStream() {
    if (joined_) {
        ring_.leave();
    }
}

http::Piece EventStream::advance(std::string& out, std::size_t bytes) {
    constexpr int kLooks = 512;
    if (!std::exchange(joined_, true)) {
        ring_.join();
    }
    const std::size_t before = out.size();
    const Held& held = ring_.held();
    place_.follow(held, out);
    for (int looks = 0; looks < kLooks && place_.next() < held.next && out.size() < before + bytes;
         ++looks) {
        const EventRecord& record = ring_[place_.next()];
        const bool wanted = wish_.filter.wants(record);
        if (wanted) {
            append(out, record);
        }
        place_.advance();
        if (wanted) {
            place_.told();
        }
    }
    if (place_.next() < held.next) {
        return http::Piece::More;
    }
    place_.tell_place(held, out);
    ring_.await_event();
    return out.size() == before ? http::Piece::NotYet : http::Piece::More;
}

void EventStream::append(std::string& out, const EventRecord& record) {
    line_.clear();
    if (wish_.form == Form::Json) {
        append_event_json(line_, record);
    } else {
        append_event(line_, record, wish_.output, static_cast<std::uint32_t>(::getpid()));
    }
    append_sse(out, place_.next(), name_of(record.kind()), line_);
}

}  // namespace nsr::router
