// State: everything that lives as long as the router, in the order in which it is made.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "core/base/log.hpp"
#include "core/base/random.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/conntrack/rate_limit.hpp"
#include "core/defrag/defrag.hpp"
#include "core/helpers/helpers.hpp"
#include "core/local/groups.hpp"
#include "core/nat/nat.hpp"
#include "core/pipeline/counters.hpp"
#include "core/pipeline/drop_places.hpp"
#include "core/pipeline/history.hpp"
#include "core/pipeline/icmp_limit.hpp"
#include "core/pipeline/network.hpp"
#include "core/pipeline/observer.hpp"
#include "core/pipeline/prepared_rules.hpp"
#include "core/pipeline/recorder.hpp"
#include "core/pipeline/refused_connections.hpp"
#include "core/pipeline/rule_names.hpp"
#include "core/pipeline/settings.hpp"
#include "core/routing/interface_table.hpp"
#include "core/routing/route_table.hpp"
#include "core/rules/program/program.hpp"
#include "core/sets/sets.hpp"

namespace nsr::pipeline {

class NullLog : public LogSink {
  public:
    void log(Instant, LogLevel, std::string_view) override {}
};

struct State {
    explicit State(RouterOptions options);
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    // Packets that are lost where no pipeline is at work.
    void count_lost(Family family, DropReason reason, IfIndex in, std::uint64_t packets = 1);
    // True: the packet is of another shard, and gone; or its interface has gone since another shard
    // read it.
    bool elsewhere_or_lost(Packet& packet);
    bool hand_over(Packet& packet);
    [[nodiscard]] RulesBasis rules_basis() const;
    [[nodiscard]] RulesBasis rules_basis(rules::CountersReading& reading) const;
    // In the place of the rules at work, which `prepared` holds then; what rules remember stays.
    void adopt(PreparedRules& prepared);
    // After interfaces have come or gone: names in rules mean those that there are now.
    void bind_rules_again();
    // Tracking is on in a family while the mode says so, or (auto) a rule of that family needs it.
    void follow_rules(Instant now);
    void interface_came(IfIndex index);
    // See ForwardingSettings::settle.
    void settle(const routing::Interface& interface);
    void set_addresses(routing::Interface& interface, const std::vector<Prefix>& addresses);
    [[nodiscard]] std::optional<RuleName> name_of_rule(RuleId id) const;
    bool follow_ipv6_sysctls(routing::Interface& interface);
    // Writes `changed` where each part keeps its own, and does what follows from it.
    void configure(const Settings& changed);
    [[nodiscard]] Settings settings() const;

    NullLog null_log;
    LogSink& log;
    RandomSource random;
    RandomSource keys;  // apart: what `random` gives can be seen in packets
    ForwardingSettings forwarding;
    TrackingMode tracking;
    routing::InterfaceTable interfaces;
    routing::RouteTable routes;
    defrag::Defrag defrag;
    conntrack::Conntrack conntrack;
    nat::Nat nat;
    helpers::Helpers helpers;
    RoutingNetwork network;
    rules::Program program;
    IcmpLimit icmp_limit;
    conntrack::RateLimit martian_log;
    SipKey rules_key;             // of what rules remember
    sets::Sets sets;              // outlive the rules that name them
    sets::References sets_named;  // by the rules
    rules::TimeoutReferences timeouts_named;
    local::Groups groups;  // of the [host] namespace
    DropCounters drops;
    DropPlaces places;  // of the same packets
    Recorder recorder;
    History history;
    BufferPool made_packets;  // for records of connections without a packet
    RefusedConnections refused_connections;
    RuleNames rule_names;                // of rules that those two name and that are gone
    std::array<IpCounters, 2> counters;  // by index_of(family)
    struct {                             // in other shards
        std::size_t connections = 0;
        std::size_t table_bytes = 0;
    } elsewhere;
    Observer* observer = nullptr;
    rules::PacketLog* packet_log = nullptr;  // null: nobody listens to NFLOG
    // Of the batch at hand, in its order: packets that dissect() refused. Room that is kept.
    struct Refused {
        Family family = Family::None;
        DropReason reason = DropReason::TooShort;
    };
    std::vector<Refused> refused;
    std::size_t next_refused = 0;
    std::size_t still_to_receive = 0;  // packets of the batch at hand
};

}  // namespace nsr::pipeline
