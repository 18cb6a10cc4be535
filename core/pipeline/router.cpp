#include "core/pipeline/router.hpp"

#include <algorithm>
#include <utility>

#include "core/local/loopback_alias.hpp"
#include "core/packet/dissect.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/pipeline/prepared_rules.hpp"
#include "core/pipeline/state.hpp"

namespace nsr {

struct Router::Impl {
    explicit Impl(Options options) : state(std::move(options)) {}

    pipeline::State state;
};

Router::Router(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {
}

Router::~Router() = default;

// --- packets and time ---------------------------------------------------------------------------

// Dissect and prefetch the whole batch, then let each packet go its way to the end before the next
// one starts. A packet whose header is refused has no family in between.
void Router::receive(std::span<Packet> packets, Instant now, EgressQueue& out) {
    pipeline::State& state = impl_->state;
    state.refused.clear();
    const IfIndex host = state.interfaces.host();
    for (Packet& packet : packets) {
        if (const Verdict verdict = dissect(packet); !verdict.accepted()) {
            state.refused.push_back({packet.layout.family, verdict.reason()});
            packet.layout.family = Family::None;
        } else if (packet.meta.in == host) {
            local::restore_loopback(packet);
        }
    }
    state.conntrack.begin_batch(packets);
    auto refused = state.refused.begin();
    pipeline::Pipeline pipeline(state, now, out);
    for (Packet& packet : packets) {
        routing::Interface& interface = state.interfaces.get(packet.meta.in);
        ++interface.counters.rx_packets;
        interface.counters.rx_bytes += packet.size();
        if (!interface.host) {
            pipeline.arrived(packet);
        }
        if (packet.layout.family == Family::None) {
            ++interface.counters.rx_dropped;
            packet.layout.family = refused->family;
            pipeline.malformed(packet, (refused++)->reason);
        } else if (interface.host) {
            pipeline.originate(packet);
        } else if (interface.ipv6_disabled && packet.layout.family == Family::Ipv6) {
            pipeline.refuse(packet, DropReason::InterfaceDown);
        } else {
            pipeline.receive(packet);
        }
    }
    state.conntrack.end_batch();
}

std::optional<Instant> Router::next_deadline() const {
    const pipeline::State& state = impl_->state;
    std::optional<Instant> next = state.conntrack.next_deadline();
    for (const auto& other : {state.defrag.next_deadline(), state.sets.next_sweep()}) {
        next = next && other ? std::min(*next, *other) : next ? next : other;
    }
    return next;
}

bool Router::expire(Instant now, EgressQueue& out) {
    constexpr std::size_t kDatagramsPerCall = 64;  // each may be answered with an error
    pipeline::State& state = impl_->state;
    const bool complete = state.conntrack.expire(now);
    pipeline::Pipeline pipeline(state, now, out);
    for (std::size_t i = 0; i < kDatagramsPerCall; ++i) {
        auto datagram = state.defrag.expire_one(now);
        if (!datagram) {
            return state.sets.sweep(now) && complete;
        }
        const IfIndex in = datagram->first.empty() ? IfIndex::None : datagram->first.meta.in;
        state.count_lost(datagram->family, DropReason::FragmentTimeout, in, datagram->fragments);
        if (!datagram->first.empty()) {
            pipeline.reassembly_timed_out(std::move(datagram->first));
        }
    }
    return false;
}

void Router::observe(Observer* observer) {
    impl_->state.observer = observer;
}

void Router::hand_packets_to(rules::PacketLog* log) {
    impl_->state.packet_log = log;
}

const pipeline::Recorder& Router::recorder() const {
    return impl_->state.recorder;
}

void Router::resize_recorder(std::size_t records) {
    impl_->state.recorder.resize(records);
}

pipeline::History& Router::history() {
    return impl_->state.history;
}

const pipeline::DropPlaces& Router::drop_places() const {
    return impl_->state.places;
}

std::optional<pipeline::RuleName> Router::name_of_rule(RuleId id) const {
    return impl_->state.name_of_rule(id);
}

// --- rules, tracking, connections, sysctls ------------------------------------------------------

void Router::apply(rules::Ruleset ruleset, Instant now) {
    PreparedRules prepared = prepare_rules(std::move(ruleset), rules_basis());
    adopt(prepared, now);
}

RulesBasis Router::rules_basis() const {
    return impl_->state.rules_basis();
}

void Router::adopt(PreparedRules& prepared, Instant now) {
    pipeline::State& state = impl_->state;
    state.adopt(prepared);
    if (state.program.begins_accounting()) {
        pipeline::Settings changed = state.settings();
        changed.conntrack.acct = 1;
        state.configure(changed);
    }
    state.follow_rules(now);
}

const rules::Ruleset& Router::ruleset() const {
    return impl_->state.program.ruleset();
}

rules::Counted Router::counted() const {
    return impl_->state.program.counted();
}

const rules::Rule* Router::find_rule(RuleId id) const {
    return impl_->state.program.find(id).value_or(rules::RulePlace{}).rule;
}

Result<Done, std::string> Router::set_tracking(TrackingMode mode, Instant now) {
    if (mode == TrackingMode::Off) {
        for (const Family family : {Family::Ipv4, Family::Ipv6}) {
            if (!tracking_user(family).empty()) {
                return tracking_user(family);
            }
        }
    }
    impl_->state.tracking = mode;
    impl_->state.follow_rules(now);
    return Done{};
}

TrackingMode Router::tracking_mode() const {
    return impl_->state.tracking;
}

const std::string& Router::tracking_user(Family family) const {
    return impl_->state.program.needs_tracking(family);
}

bool Router::tracking_active() const {
    return conntrack().active(Family::Ipv4) || conntrack().active(Family::Ipv6);
}

pipeline::MadeConnections Router::made_connections() {
    return pipeline::MadeConnections(impl_->state);
}

void Router::zero_counters(ConnId id) {
    impl_->state.conntrack.zero_counters(id);
}

void Router::destroy_connection(ConnId id, Instant now) {
    impl_->state.conntrack.destroy(id, now, conntrack::ChangedBy::Administrator);
}

void Router::flush_expectations(Instant now) {
    impl_->state.conntrack.flush_expectations(now);
}

void Router::forget_translations(std::optional<RuleId> rule, Instant now) {
    impl_->state.nat.forget(rule, now);
}

void Router::recheck_connection(ConnId id) {
    impl_->state.conntrack.recheck(id);
}

void Router::subscribe(conntrack::EventSubscriber& subscriber) {
    impl_->state.conntrack.subscribe(subscriber);
}

void Router::unsubscribe(conntrack::EventSubscriber& subscriber) {
    impl_->state.conntrack.unsubscribe(subscriber);
}

sets::Sets& Router::sets() {
    return impl_->state.sets;
}

const sets::Sets& Router::sets() const {
    return impl_->state.sets;
}

const sets::References& Router::set_references() const {
    return impl_->state.sets_named;
}

conntrack::TimeoutPolicies& Router::timeout_policies() {
    return impl_->state.conntrack.timeout_policies();
}

const rules::TimeoutReferences& Router::timeout_references() const {
    return impl_->state.timeouts_named;
}

void Router::configure(const pipeline::Settings& settings) {
    impl_->state.configure(settings);
}

pipeline::Settings Router::settings() const {
    return impl_->state.settings();
}

IfIndex Router::add_interface(routing::Interface interface, BindRules when) {
    pipeline::State& state = impl_->state;
    const IfIndex index = state.interfaces.add(std::move(interface));
    state.interface_came(index);
    state.routes.interfaces_changed();
    if (when == BindRules::Now) {
        state.bind_rules_again();
    }
    return index;
}

// kernel: unregister_netdevice
void Router::remove_interface(IfIndex interface, Instant now) {
    pipeline::State& state = impl_->state;
    set_up(interface, false, now);
    const auto lost = state.defrag.forget(interface);
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        state.count_lost(family, DropReason::InterfaceDown, interface, lost[index_of(family)]);
    }
    state.interfaces.remove(interface);
    state.routes.interfaces_changed();
}

bool Router::add_address(IfIndex interface, const Prefix& address) {
    routing::Interface& changed = impl_->state.interfaces.get(interface);
    std::vector<Prefix> addresses = routing::all_addresses(changed);
    if (std::find(addresses.begin(), addresses.end(), address) != addresses.end()) {
        return false;
    }
    addresses.push_back(address);
    impl_->state.set_addresses(changed, addresses);
    return true;
}

bool Router::remove_address(IfIndex interface, const Prefix& address, Instant now) {
    const std::vector<Prefix> removed =
        routing::remove_address(impl_->state.interfaces.get(interface), address);
    if (removed.empty()) {
        return false;
    }
    impl_->state.routes.interfaces_changed();
    for (const Prefix& each : removed) {
        impl_->state.nat.address_removed(each.address, interface, now);
    }
    return true;
}

void Router::set_addresses(IfIndex interface, const std::vector<Prefix>& addresses, Instant now) {
    routing::Interface& changed = impl_->state.interfaces.get(interface);
    const std::vector<Prefix> before = routing::all_addresses(changed);
    impl_->state.set_addresses(changed, addresses);
    for (const Prefix& each : before) {
        if (std::find(addresses.begin(), addresses.end(), each) == addresses.end()) {
            impl_->state.nat.address_removed(each.address, interface, now);
        }
    }
}

void Router::set_mtu(IfIndex interface, std::uint32_t mtu) {
    impl_->state.interfaces.get(interface).mtu = mtu;
}

void Router::set_capabilities(IfIndex interface, const routing::LinkCapabilities& capabilities) {
    impl_->state.interfaces.get(interface).capabilities = capabilities;
}

// kernel: fib_netdev_event, masq_device_event. differs: link-down-keeps-ipv6
void Router::set_up(IfIndex interface, bool up, Instant now) {
    if (std::exchange(impl_->state.interfaces.get(interface).up, up) == up) {
        return;
    }
    impl_->state.routes.interfaces_changed();
    if (!up) {
        impl_->state.nat.interface_down(interface, now);
    }
    if (interface == impl_->state.interfaces.host()) {
        impl_->state.groups = {};  // its sockets join anew, or are gone
    }
}

void Router::ingress_failed(IfIndex interface, DropReason reason) {
    ++impl_->state.interfaces.get(interface).counters.rx_dropped;
    impl_->state.count_lost(Family::None, reason, interface);
}

void Router::egress_failed(IfIndex interface, DropReason reason) {
    ++impl_->state.interfaces.get(interface).counters.tx_dropped;
    impl_->state.count_lost(Family::None, reason, interface);
}

routing::RouteChange Router::add_route(const routing::Route& route) {
    return impl_->state.routes.add(route);
}

routing::RouteChange Router::append_route(const routing::Route& route) {
    return impl_->state.routes.append(route);
}

routing::RouteChange Router::change_route(const routing::Route& route) {
    return impl_->state.routes.change(route);
}

routing::RouteChange Router::replace_route(const routing::Route& route) {
    return impl_->state.routes.replace(route);
}

bool Router::remove_route(const routing::Route& route) {
    return impl_->state.routes.remove(route);
}

Result<Done, routing::RouteRefusal> Router::set_routes(const std::vector<routing::Route>& routes) {
    return impl_->state.routes.assign(routes);
}

routing::RuleChange Router::add_policy_rule(const routing::PolicyRule& rule,
                                            std::optional<std::uint32_t> priority) {
    return impl_->state.routes.add_rule(rule, priority);
}

routing::RuleChange Router::remove_policy_rule(const routing::RuleQuery& query) {
    return impl_->state.routes.remove_rule(query);
}

void Router::flush_policy_rules(Family family) {
    impl_->state.routes.flush_rules(family);
}

void Router::set_policy_rules(const std::vector<routing::PolicyRule>& rules) {
    impl_->state.routes.assign_rules(rules);
}

const conntrack::Conntrack& Router::conntrack() const {
    return impl_->state.conntrack;
}

const nat::Nat& Router::nat() const {
    return impl_->state.nat;
}

const defrag::Defrag& Router::defrag() const {
    return impl_->state.defrag;
}

const routing::InterfaceTable& Router::interfaces() const {
    return impl_->state.interfaces;
}

const routing::RouteTable& Router::routes() const {
    return impl_->state.routes;
}

const IpCounters& Router::counters(Family family) const {
    return impl_->state.counters[index_of(family)];
}

const DropCounters& Router::drops() const {
    return impl_->state.drops;
}

}  // namespace nsr
