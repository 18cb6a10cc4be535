// Program: a Ruleset compiled for the packet path, and the evaluator.
//
// Theory of operation
//   Each chain becomes a flat run of instructions: cheap header and interface tests first (in an
//   order that cannot change the result), then the other matches in order, then the target.
//   Interface names become sets of IfIndex, protocol tests one compare. Rule and policy counters
//   live here while the program runs; who wants them takes a copy of the ruleset, counted().
//   run() walks one built-in chain of one table and says what was decided; side effects that
//   xtables targets have on the packet itself (MARK, NOTRACK, TTL, DSCP, TCPMSS, ...) are done by
//   run(); NAT ranges and REJECT are reported, for the pipeline to carry out.
// kernel: ipt_do_table
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/base/instant.hpp"
#include "core/base/log.hpp"
#include "core/base/random.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/nat/range.hpp"
#include "core/packet/hook.hpp"
#include "core/packet/packet.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::rules {

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
};

// What rules may ask about the world beyond the packet. Implemented by the pipeline. Every IfIndex
// is one of the router's or None, which packets have before they are routed and where the router
// itself sent or gets them. Nothing here changes while a packet is on its way.
class World {
  public:
    virtual ~World() = default;
    virtual std::string_view interface_name(IfIndex index) const = 0;  // None: empty
    // MASQUERADE, REDIRECT: the address the router would send from, to `towards`. Nothing: the
    // interface has none of that family.
    virtual std::optional<IpAddress> primary_address(IfIndex index,
                                                     const IpAddress& towards) const = 0;
    // TCPMSS --clamp-mss-to-pmtu: bytes of an IP packet; 65535 where nothing limits them.
    virtual std::uint32_t path_mtu(const IpAddress& destination) const = 0;
    virtual std::uint32_t interface_mtu(IfIndex index) const = 0;
    enum class AddressType : std::uint8_t {
        Unspecified,
        Unicast,
        Local,
        Broadcast,
        Anycast,
        Multicast,
        Blackhole,
        Unreachable,
        Prohibit
    };
    // With `limit_to`, addresses of other interfaces are not Local.
    virtual AddressType address_type(const IpAddress& address,
                                     std::optional<IfIndex> limit_to) const = 0;
    // rpfilter: where a packet to `address` would leave. Nothing: it would not.
    virtual std::optional<IfIndex> route_interface(const IpAddress& address) const = 0;
};

struct Environment {
    conntrack::Conntrack& conntrack;
    const World& world;
    RandomSource& random;
    LogSink& log;
};

enum class Decision : std::uint8_t { Accept, Drop, PolicyDrop, Reject, Nat };

struct Outcome {
    Decision decision = Decision::Accept;
    RuleId rule = RuleId::None;                       // the rule that decided; None: the policy
    RejectWith reject = RejectWith::PortUnreachable;  // valid iff Reject
    nat::Range range;  // valid iff Nat: already resolved for this packet (MASQUERADE, REDIRECT know
                       // their address)
};

// Rule by rule, what happened; for traces. Null observer costs nothing.
class RuleObserver {
  public:
    virtual ~RuleObserver() = default;
    virtual void rule_tried(TableId table, std::string_view chain, const Rule& rule,
                            bool matched) = 0;
    virtual void policy_applied(TableId table, std::string_view chain, Policy policy) = 0;
};

class Program {
  public:
    // Interface names are bound to the indices in `interfaces` now; the program keeps the ruleset.
    Program(Ruleset ruleset, const std::vector<std::pair<std::string, IfIndex>>& interfaces);
    ~Program();
    Program(Program&&) noexcept;
    Program& operator=(Program&&) noexcept;

    // Keeps what rules remember (tokens of `limit`, lists of `recent`): that of rules which both
    // programs hold, and of lists still in use under their names. `previous` is spent.
    void take_over(Program& previous);
    // A copy with everything it remembers and counts, which goes its own way.
    [[nodiscard]] Program fork() const;

    // Is there anything to run (table loaded and has this chain)?
    [[nodiscard]] bool has(Family family, TableId table, Hook hook) const;
    [[nodiscard]] bool loaded(Family family, TableId table) const;

    Outcome run(TableId table, Hook hook, Packet& packet, Instant now, Environment& environment,
                RuleObserver* observer = nullptr);

    // The ruleset as it was given; its counters are those of then.
    [[nodiscard]] const Ruleset& ruleset() const;
    // A copy of it with the counters of now.
    [[nodiscard]] Ruleset counted() const;
    [[nodiscard]] const Rule* find(RuleId id) const;
    // How much its rules remember between packets; see MatchState.
    [[nodiscard]] std::size_t remembered() const;

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nsr::rules
