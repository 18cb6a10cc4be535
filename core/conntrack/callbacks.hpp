// What Conntrack asks of those above it: NAT, helpers, the log. Whoever is asked is set once, when
// the router is made.
#pragma once

#include <functional>
#include <string>

#include "core/base/ct_info.hpp"
#include "core/base/ids.hpp"
#include "core/base/instant.hpp"
#include "core/conntrack/expect/expectation.hpp"
#include "core/packet/packet.hpp"

namespace nsr::conntrack {

struct Callbacks {
    // How the log describes an INVALID packet; unset: describe().
    std::function<std::string(const Packet&)> describe_packet;
    std::function<void(ConnId, Instant)> on_evict;  // a full table gives it up; still there
    // NAT must forget a record that is about to be erased: one observer, which can still read it.
    std::function<void(ConnId)> on_erase;
    // An unconfirmed connection is the one that was expected: NAT translates it as it should be.
    std::function<void(ConnId, const Expectation&, Instant)> on_expected;
    // An unconfirmed connection is made that nobody expects.
    std::function<Welcome(ConnId, const Packet&, Instant)> on_unexpected;
    // May a packet restart the timeout of a connection with kOneWayRefresh?
    std::function<bool(ConnId, Direction)> on_refresh;
    // A connection that a helper follows is about to be erased.
    std::function<void(ConnId)> on_master_end;
};

}  // namespace nsr::conntrack
