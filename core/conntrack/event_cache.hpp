// EventCache: what happens to connections, told to whoever subscribes.
//
// Theory of operation
//   A packet changes several things of its connection on its way: cache() collects them, and
//   deliver_cached() tells them as one event when the packet is confirmed. Is the packet dropped
//   before, they stay on the connection and go with the next one that gets there; a connection that
//   is not confirmed, or is being deleted, tells nothing. The end of a connection, and a change
//   from outside, is reported at once and takes nothing that was cached along. Only connections
//   that carry events (status::kEvents, set when they are made, as nf_conntrack_events and CT
//   --ctevents say) are told about. The events of one connection, that of the packet at hand, are
//   cached here; they move to its Extra if the packet does not deliver them. While nobody
//   subscribes nothing is cached. An expectation is told of when it is made and when it ends, if
//   its master carries events.
// kernel: nf_conntrack_ecache.c (nf_conntrack_event_cache, nf_ct_deliver_cached_events,
// nf_conntrack_eventmask_report, nf_ct_expect_event_report)
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/instant.hpp"
#include "core/conntrack/expect/expectation.hpp"
#include "core/conntrack/record/event.hpp"
#include "core/conntrack/table/table.hpp"

namespace nsr::conntrack {

class Conntrack;

// Who caused a change. kernel: the portid of a netlink message, which is 0 unless a program asked
enum class ChangedBy : std::uint8_t { Router, Administrator };

// Valid while it is told. The connection is still in `conntrack`, whatever happened to it.
struct Event {
    ConnId id = ConnId::None;
    std::uint32_t bits = 0;  // event::k*
    Instant at{};
    const Conntrack& conntrack;
    ChangedBy by = ChangedBy::Router;
};

// The same of an expectation, whose master is still there.
struct ExpectationEvent {
    const Expectation& expectation;
    bool ends = false;  // else it was made
    Instant at{};
    const Conntrack& conntrack;
};

// Is told of events as they happen, in the middle of that: it may read everything and must change
// nothing (Conntrack aborts if it does), nor subscribe or unsubscribe. kernel: struct
// nf_ct_event_notifier
class EventSubscriber {
  public:
    virtual void conntrack_event(const Event& event) = 0;
    virtual void expectation_event(const ExpectationEvent&) {}

  protected:
    ~EventSubscriber() = default;
};

class EventCache {
  public:
    // Both must outlive this.
    EventCache(const Conntrack& conntrack, Table& table) : conntrack_(conntrack), table_(table) {}

    // In the order in which they came. `subscriber` must unsubscribe before it dies.
    void subscribe(EventSubscriber& subscriber);
    void unsubscribe(EventSubscriber& subscriber);
    [[nodiscard]] bool listening() const { return !subscribers_.empty(); }
    // A subscriber is being told something.
    [[nodiscard]] bool delivering() const { return delivering_; }

    // kernel: nf_conntrack_event_cache
    void cache(ConnId id, std::uint32_t bits) {
        if (bits != 0 && listening()) {
            add(id, bits);
        }
    }
    // The packet of `id` is through. kernel: nf_ct_deliver_cached_events
    void deliver_cached(ConnId id, Instant now) {
        if (listening()) {
            deliver(id, now);
        }
    }
    // Tells of a confirmed connection at once. kernel: nf_conntrack_eventmask_report
    void report(ConnId id, std::uint32_t bits, Instant now, ChangedBy by = ChangedBy::Router);
    // kernel: nf_ct_expect_event_report
    void report_expectation(const Expectation& expectation, bool ends, Instant now);
    // The record goes.
    void forget(ConnId id);

  private:
    void add(ConnId id, std::uint32_t bits);
    void deliver(ConnId id, Instant now);

    const Conntrack& conntrack_;
    Table& table_;
    std::vector<EventSubscriber*> subscribers_;
    bool delivering_ = false;
    ConnId cached_ = ConnId::None;  // whom cached_bits_ are about
    std::uint32_t cached_bits_ = 0;
};

}  // namespace nsr::conntrack
