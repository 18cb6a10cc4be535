#include "core/pipeline/router.hpp"

#include <algorithm>
#include <utility>

#include "core/packet/dissect.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/rules/needs.hpp"
#include "core/rules/program/program.hpp"
#include "core/rules/targets/log_packet.hpp"

namespace nsr {

namespace {

// For all, and for each interface; what was set before the interface came stays.
void make_room(std::vector<std::uint32_t>& values, std::size_t interfaces) {
    values.resize(std::max(values.size(), interfaces + 1));
}

class NullLog : public LogSink {
  public:
    void log(Instant, LogLevel, std::string_view) override {}
};

rules::Program compile(rules::Ruleset ruleset, const routing::InterfaceTable& interfaces) {
    std::vector<std::pair<std::string, IfIndex>> names;
    for (const routing::Interface& interface : interfaces.all()) {
        names.emplace_back(interface.name, interface.index);
    }
    names.emplace_back("lo", IfIndex::Loopback);
    return rules::Program(std::move(ruleset), names);
}

}  // namespace

namespace pipeline {

namespace {

SipKey draw_key(RandomSource& keys) {
    const std::uint64_t k0 = keys.next64();
    return {k0, keys.next64()};
}

}  // namespace

State::State(Router::Options options, LogSink& sink)
    : forwarding(std::move(options.forwarding)),
      tracking(options.tracking),
      log(sink),
      random(options.seed),
      keys(options.key_seed.value_or(~options.seed)),
      routes(interfaces),
      defrag(options.defrag, draw_key(keys)),
      conntrack(options.conntrack, {draw_key(keys), sink, std::move(options.memory)}),
      nat(conntrack, random, draw_key(keys)),
      network(interfaces, routes),
      program(compile({}, interfaces)),
      icmp_limit(draw_key(keys)),
      rules_key(draw_key(keys)) {
    conntrack.describe_packet = [this](const Packet& packet) {
        const Hook hook = packet.meta.in == IfIndex::None ? Hook::Output : Hook::Prerouting;
        return rules::log_text(packet, hook, network, rules::kAllDetail);
    };
}

}  // namespace pipeline

struct Router::Impl {
    explicit Impl(Options options)
        : state(std::move(options), options.log != nullptr ? *options.log : null_log) {}

    NullLog null_log;
    pipeline::State state;

    void follow_rules(Instant now);
};

Router::Router(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {
}

Router::~Router() = default;

// --- packets and time ---------------------------------------------------------------------------

// Dissect and prefetch the whole batch, then let each packet go its way to the end before the next
// one starts. A packet whose header is refused has no family in between.
void Router::receive(std::span<Packet> packets, Instant now, EgressQueue& out) {
    pipeline::State& state = impl_->state;
    state.observer = observer;
    for (Packet& packet : packets) {
        if (dissect(packet).accepted()) {
            state.conntrack.prefetch(packet);
        } else {
            packet.layout.family = Family::None;
        }
    }
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
            pipeline.malformed(packet, dissect(packet).reason());
        } else if (interface.host) {
            pipeline.originate(packet);
        } else {
            pipeline.receive(packet);
        }
    }
}

std::optional<Instant> Router::next_deadline() const {
    const auto connections = impl_->state.conntrack.next_deadline();
    const auto datagrams = impl_->state.defrag.next_deadline();
    if (!connections || !datagrams) {
        return connections ? connections : datagrams;
    }
    return std::min(*connections, *datagrams);
}

bool Router::expire(Instant now, EgressQueue& out) {
    pipeline::State& state = impl_->state;
    state.observer = observer;
    const bool complete = state.conntrack.expire(now);
    pipeline::Pipeline pipeline(state, now, out);
    while (auto datagram = state.defrag.expire_one(now)) {
        state.drops.add(datagram->family, DropReason::FragmentTimeout, datagram->fragments);
        if (!datagram->first.empty()) {
            pipeline.reassembly_timed_out(std::move(datagram->first));
        }
    }
    return complete;
}

// --- rules and tracking -------------------------------------------------------------------------

void Router::apply(rules::Ruleset ruleset, Instant now) {
    if (rules::begins_accounting(ruleset, impl_->state.program.ruleset())) {
        impl_->state.conntrack.settings().acct = 1;
    }
    rules::Program next = compile(std::move(ruleset), impl_->state.interfaces);
    next.take_over(impl_->state.program);
    impl_->state.program = std::move(next);
    impl_->follow_rules(now);
}

bool Router::set_tracking(TrackingMode mode, Instant now, std::string& why) {
    if (mode == TrackingMode::Off) {
        for (const Family family : {Family::Ipv4, Family::Ipv6}) {
            why = rules::needs_tracking(ruleset(), family);
            if (!why.empty()) {
                return false;
            }
        }
    }
    impl_->state.tracking = mode;
    impl_->follow_rules(now);
    return true;
}

// Tracking is on in a family while the mode says so, or (auto) a rule of that family needs it.
void Router::Impl::follow_rules(Instant now) {
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        const bool needed = !rules::needs_tracking(state.program.ruleset(), family).empty();
        const bool active =
            state.tracking == TrackingMode::On || (state.tracking == TrackingMode::Auto && needed);
        state.conntrack.set_active(family, active, now);
    }
}

const rules::Ruleset& Router::ruleset() const {
    return impl_->state.program.ruleset();
}

TrackingMode Router::tracking_mode() const {
    return impl_->state.tracking;
}

// --- links, addresses, routes -------------------------------------------------------------------

IfIndex Router::add_interface(routing::Interface interface) {
    pipeline::State& state = impl_->state;
    const IfIndex index = state.interfaces.add(std::move(interface));
    make_room(state.forwarding.rp_filter, state.interfaces.all().size());
    make_room(state.forwarding.send_redirects, state.interfaces.all().size());
    state.routes.interfaces_changed();
    rules::Program next = compile(state.program.ruleset(), state.interfaces);
    next.take_over(state.program);
    state.program = std::move(next);
    return index;
}

bool Router::add_address(IfIndex interface, const Prefix& address) {
    auto& addresses = impl_->state.interfaces.get(interface).addresses;
    if (std::find(addresses.begin(), addresses.end(), address) != addresses.end()) {
        return false;
    }
    addresses.push_back(address);
    impl_->state.routes.interfaces_changed();
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

void Router::set_mtu(IfIndex interface, std::uint32_t mtu) {
    impl_->state.interfaces.get(interface).mtu = mtu;
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
}

void Router::egress_failed(IfIndex interface) {
    ++impl_->state.interfaces.get(interface).counters.tx_dropped;
    impl_->state.drops.add(Family::None, DropReason::EgressFailed);
}

routing::RouteChange Router::add_route(const routing::Route& route) {
    return impl_->state.routes.add(route);
}

routing::RouteChange Router::replace_route(const routing::Route& route) {
    return impl_->state.routes.replace(route);
}

bool Router::remove_route(const routing::Route& route) {
    return impl_->state.routes.remove(route);
}

std::optional<routing::RouteRefusal> Router::set_routes(const std::vector<routing::Route>& routes) {
    return impl_->state.routes.assign(routes);
}

// --- what others look at ------------------------------------------------------------------------

BufferPool& Router::pool() {
    return impl_->state.pool;
}

conntrack::Conntrack& Router::conntrack() {
    return impl_->state.conntrack;
}

const conntrack::Conntrack& Router::conntrack() const {
    return impl_->state.conntrack;
}

defrag::Defrag& Router::defrag() {
    return impl_->state.defrag;
}

routing::InterfaceTable& Router::interfaces() {
    return impl_->state.interfaces;
}

const routing::InterfaceTable& Router::interfaces() const {
    return impl_->state.interfaces;
}

const routing::RouteTable& Router::routes() const {
    return impl_->state.routes;
}

ForwardingSettings& Router::forwarding() {
    return impl_->state.forwarding;
}

const IpCounters& Router::counters(Family family) const {
    return impl_->state.counters[index_of(family)];
}

const DropCounters& Router::drops() const {
    return impl_->state.drops;
}

RandomSource& Router::random() {
    return impl_->state.random;
}

}  // namespace nsr
