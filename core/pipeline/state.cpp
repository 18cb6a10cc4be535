#include "core/pipeline/state.hpp"

#include <utility>

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

}  // namespace

State::State(RouterOptions options)
    : log(options.log != nullptr ? *options.log : null_log),
      random(options.seed),
      keys(options.key_seed.value_or(~options.seed)),
      forwarding(std::move(options.settings.forwarding)),
      tracking(options.tracking),
      routes(interfaces, multipath_key(options.key_seed.value_or(~options.seed))),
      defrag(options.settings.defrag, draw_key(keys)),
      conntrack(options.settings.conntrack, {draw_key(keys), log, std::move(options.memory)}),
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
}

void State::count_lost(Family family, DropReason reason, IfIndex in, std::uint64_t packets) {
    if (packets != 0) {
        drops.add(family, reason, packets);
        places.add({.reason = reason, .family = family, .in = in}, packets);
    }
}

RuleIds State::blamed_rules() const {
    RuleIds ids;
    for (const auto& [place, packets] : places.rows()) {
        ids.insert(place.rule);
    }
    for (std::size_t i = 0; i < recorder.size(); ++i) {
        ids.insert(recorder[i].place.rule);
    }
    ids.erase(RuleId::None);
    return ids;
}

RulesBasis State::rules_basis() const {
    return {program.ruleset(), names_of(interfaces), program.base()};
}

void State::adopt(PreparedRules& prepared) {
    rule_names.keep(program.ruleset(), blamed_rules());
    prepared.program.take_over(program);
    std::swap(program, prepared.program);
    std::swap(sets_named, prepared.sets);
    std::swap(timeouts_named, prepared.timeouts);
}

void State::bind_rules_again() {
    const RulesBasis basis = rules_basis();
    PreparedRules prepared = prepare_rules(basis.ruleset, basis);
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

// kernel: nf_conntrack_hash_sysctl resizes the index
void State::configure(const Settings& changed) {
    conntrack.set_settings(changed.conntrack);
    defrag.settings() = changed.defrag;
    forwarding = changed.forwarding;
}

Settings State::settings() const {
    return {conntrack.settings(), defrag.settings(), forwarding};
}

}  // namespace nsr::pipeline
