// What a target says about a packet, and what a whole table does.
#pragma once

#include <cstdint>

#include "core/base/ids.hpp"
#include "core/nat/range.hpp"

namespace nsr::rules {

// kernel: XT_CONTINUE, NF_ACCEPT, NF_DROP; Reject and Nat are left to the pipeline to carry out
enum class TargetVerdict : std::uint8_t { Continue, Accept, Drop, Reject, Nat };

// kernel: enum ipt_reject_with and ip6t_reject_with in one
enum class RejectWith : std::uint8_t {
    NetUnreachable,
    HostUnreachable,
    ProtocolUnreachable,
    PortUnreachable,
    NetProhibited,
    HostProhibited,
    AdminProhibited,
    TcpReset,
    NoRoute6,
    AdminProhibited6,
    AddressUnreachable6,
    PortUnreachable6,
    PolicyFail6,
    RejectRoute6,
    SourceProblem6,       // of SNPT, whose translation has no word to make up with
    DestinationProblem6,  // of DNPT
};

struct TableVerdict {
    TargetVerdict verdict = TargetVerdict::Accept;    // never Continue
    RuleId rule = RuleId::None;                       // the rule that decided; None: the policy
    RejectWith reject = RejectWith::PortUnreachable;  // valid iff Reject
    nat::Range range;  // valid iff Nat: already resolved for this packet (MASQUERADE, REDIRECT know
                       // their address)

    bool exhausted = false;  // Drop, since the walk through the table was too long

    [[nodiscard]] bool by_policy() const { return rule == RuleId::None && !exhausted; }
};

}  // namespace nsr::rules
