// Expectation: a connection that another one announced. kernel: struct nf_conntrack_expect
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/drop_reason.hpp"
#include "core/base/instant.hpp"
#include "core/conntrack/record/helper_info.hpp"
#include "core/conntrack/record/tuple.hpp"

namespace nsr::conntrack {

// How the expected connection is translated when it comes. kernel: exp->expectfn
enum class Follow : std::uint8_t {
    No,
    Master,  // as its master is: nf_nat_follow_master
    Sip,     // nf_nat_sip_expected
    Pptp,    // pptp_expectfn, which ends the other expectation of the call, and pptp_nat_expected
};

struct Expectation {
    Tuple tuple;
    // What of the tuple's source counts; destination and protocol always do.
    bool source_given = false;
    bool source_port_given = false;
    ConnId master = ConnId::None;
    std::uint8_t of_class = 0;
    bool permanent = false;            // it stays when a connection has come
    bool inactive = false;             // nothing matches it yet
    HelperId helper = HelperId::None;  // of the connection that will come
    Follow follow = Follow::No;
    // What NAT has to remember: the direction of the master that the connection will go, and where
    // it would have gone without NAT.
    Direction direction = Direction::Original;
    IpAddress saved_address;
    std::uint16_t saved_port = 0;
    Jiffies deadline = 0;
};

// kernel: nf_ct_expect_init. Nothing in `source` or a source port of 0: any.
struct ExpectedFlow {
    std::uint8_t protocol = 0;
    IpAddress source;  // family None: any
    IpAddress destination;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
};
Expectation expect(ConnId master, const ExpectedFlow& flow, std::uint8_t of_class = 0);

// What NAT makes of a connection that comes from outside to an endpoint of its own: it was
// expected, or it is refused, or neither.
struct Welcome {
    bool expected = false;
    std::optional<DropReason> refused;
};

}  // namespace nsr::conntrack
