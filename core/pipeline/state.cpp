#include "core/pipeline/state.hpp"

#include <algorithm>
#include <utility>

#include "core/local/first_packet.hpp"
#include "core/rules/save.hpp"
#include "core/rules/targets/log_packet.hpp"

namespace nsr::pipeline {

namespace {

SipKey draw_key(RandomSource& keys) {
    const std::uint64_t k0 = keys.next64();
    return {k0, keys.next64()};
}

// Of its own, so that no other key depends on it.
SipKey multipath_key(std::uint64_t key_seed) {
    RandomSource source(~key_seed);
    return draw_key(source);
}

rules::InterfaceNames names_of(const routing::InterfaceTable& interfaces) {
    rules::InterfaceNames names;
    for (const routing::Interface& interface : interfaces.all()) {
        names.emplace_back(interface.name, interface.index);
    }
    names.emplace_back("lo", IfIndex::Loopback);
    return names;
}

// The packet that a connection began with, as far as the table knows it.
Packet first_packet_of(const conntrack::Tuple& tuple, BufferPool& pool) {
    return local::first_packet(pool, {tuple.source, tuple.destination, tuple.source_port,
                                      tuple.destination_port, tuple.protocol});
}

}  // namespace

State::State(RouterOptions options)
    : log(options.log != nullptr ? *options.log : null_log),
      random(options.seed),
      keys(options.key_seed.value_or(~options.seed)),
      forwarding(std::move(options.settings.forwarding)),
      tracking(options.tracking),
      routes(interfaces, multipath_key(options.shard.count > 1
                                           ? options.shard.key  // the same way, whoever has a flow
                                           : options.key_seed.value_or(~options.seed))),
      defrag(options.settings.defrag, draw_key(keys)),
      conntrack(options.settings.conntrack,
                {draw_key(keys), log, std::move(options.memory), options.shard}),
      nat(conntrack, random, draw_key(keys)),
      helpers(conntrack, nat, random, log),
      network(interfaces, routes),
      program({}, names_of(interfaces)),
      icmp_limit(draw_key(keys)),
      rules_key(draw_key(keys)),
      sets{keys.next64(), keys.next64()},
      recorder(options.records),
      history(options.history_bytes) {
    conntrack.describe_packet = [this](const Packet& packet) {
        const Hook hook = packet.meta.in == IfIndex::None ? Hook::Output : Hook::Prerouting;
        return rules::log_text(packet, hook, network, rules::kAllDetail);
    };
    conntrack.on_evict = [this](ConnId id, Instant now) {
        const Packet packet =
            first_packet_of(conntrack.table().tuple(id, Direction::Original), made_packets);
        recorder.changed(packet, id, conntrack, Record::Change::Evicted, now);
    };
}

void State::count_lost(Family family, DropReason reason, IfIndex in, std::uint64_t packets) {
    if (packets != 0) {
        drops.add(family, reason, packets);
        places.add({.reason = reason, .family = family, .in = in}, packets);
    }
}

bool State::elsewhere_or_lost(Packet& packet) {
    if (conntrack.shard().alone()) {
        return false;
    }
    if (!interfaces.has(packet.meta.in)) {
        count_lost(packet.layout.family, DropReason::InterfaceDown, IfIndex::None);
        return true;
    }
    return hand_over(packet);
}

bool State::hand_over(Packet& packet) {
    const conntrack::Shard& shard = conntrack.shard();
    if (shard.alone() || !conntrack.active(packet.layout.family) ||
        packet.meta.in == IfIndex::Loopback) {
        return false;
    }
    const auto owner = shard.owner_elsewhere(packet);
    if (!owner) {
        return false;
    }
    if (!shard.place().neighbours->hand_over(*owner, packet)) {
        count_lost(packet.layout.family, DropReason::ShardQueueFull, packet.meta.in);
    }
    packet.reset();
    return true;
}

RulesBasis State::rules_basis() const {
    return {names_of(interfaces), program.base()};
}

RulesBasis State::rules_basis(rules::CountersReading& reading) const {
    return {names_of(interfaces), program.base(reading)};
}

void State::adopt(PreparedRules& prepared) {
    rule_names.keep(prepared.leaving, places, recorder);
    prepared.program.take_over(program);
    std::swap(program, prepared.program);
    std::swap(sets_named, prepared.sets);
    std::swap(timeouts_named, prepared.timeouts);
}

void State::bind_rules_again() {
    const RulesBasis basis = rules_basis();
    PreparedRules prepared = prepare_rules(basis.ruleset(), basis);
    adopt(prepared);
}

void State::follow_rules(Instant now) {
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        const bool needed = !program.needs_tracking(family).empty();
        const bool active =
            tracking == TrackingMode::On || (tracking == TrackingMode::Auto && needed);
        conntrack.set_active(family, active, now);
    }
}

void State::interface_came(IfIndex index) {
    settle(interfaces.get(index));
    follow_ipv6_sysctls(interfaces.get(index));
}

void State::settle(const routing::Interface& interface) {
    const auto& all = interface.addresses;
    const bool has_ipv4 = std::any_of(all.begin(), all.end(),
                                      [](const Prefix& each) { return each.address.is_v4(); });
    forwarding.settle(interface.index, has_ipv4);
}

void State::set_addresses(routing::Interface& interface, const std::vector<Prefix>& addresses) {
    routing::assign_addresses(interface, addresses);
    settle(interface);
    routes.interfaces_changed();
}

std::optional<RuleName> State::name_of_rule(RuleId id) const {
    if (const auto place = program.find(id)) {
        const std::string chain(place->chain);
        return RuleName{place->table, chain, place->number, place->rule->where,
                        "-A " + rules::rule_text(chain, *place->rule)};
    }
    return rule_names.find(id);
}

// kernel: nf_conntrack_hash_sysctl resizes the index
void State::configure(const Settings& changed) {
    conntrack.set_settings(changed.conntrack);
    defrag.settings() = changed.defrag;
    forwarding = changed.forwarding;
    bool changed_routes = false;
    for (const routing::Interface& each : interfaces.all()) {
        settle(each);
        changed_routes |= follow_ipv6_sysctls(interfaces.get(each.index));
    }
    if (changed_routes) {
        routes.interfaces_changed();
    }
}

// -> the routes have to follow. kernel: dev_forward_change, addrconf_disable_change.
// differs: link-down-keeps-ipv6
bool State::follow_ipv6_sysctls(routing::Interface& interface) {
    const bool router = forwarding.ipv6_forwarding.of(interface.index) != 0;
    const bool disabled = forwarding.disable_ipv6.of(interface.index) != 0;
    const bool differs = router != interface.ipv6_router || disabled != interface.ipv6_disabled;
    interface.ipv6_router = router;
    if (disabled != interface.ipv6_disabled) {
        routing::disable_ipv6(interface, disabled);
    }
    return differs;
}

Settings State::settings() const {
    return {conntrack.settings(), defrag.settings(), forwarding};
}

}  // namespace nsr::pipeline
