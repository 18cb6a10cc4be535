#include "core/pipeline/router.hpp"

#include <algorithm>
#include <utility>

#include "core/base/check.hpp"
#include "core/local/loopback_alias.hpp"
#include "core/packet/dissect.hpp"
#include "core/pipeline/pipeline.hpp"
#include "core/pipeline/prepared_rules.hpp"
#include "core/pipeline/state.hpp"

namespace nsr {

Router::Router(Options options) : state_(std::make_unique<pipeline::State>(std::move(options))) {
}

Router::~Router() = default;

// --- packets and time ---------------------------------------------------------------------------

// Dissect and prefetch the whole batch, then let each packet go its way to the end before the next
// one starts. A packet whose header is refused has no family in between.
void Router::receive(std::span<Packet> packets, Instant now, EgressQueue& out) {
    prepare(packets);
    receive_prepared(packets, now, out);
}

void Router::prepare(std::span<Packet> packets) {
    pipeline::State& state = *state_;
    state.still_to_receive = packets.size();
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
    state.next_refused = 0;
    state.conntrack.begin_batch(packets);
}

void Router::receive_prepared(std::span<Packet> packets, Instant now, EgressQueue& out) {
    pipeline::State& state = *state_;
    NSR_CHECK(packets.size() <= state.still_to_receive);
    pipeline::Pipeline pipeline(state, now, out);
    for (Packet& packet : packets) {
        if (packet.layout.family != Family::None && state.elsewhere_or_lost(packet)) {
            continue;
        }
        routing::Interface& interface = state.interfaces.get(packet.meta.in);
        if (!packet.meta.counted) {
            ++interface.counters.rx_packets;
            interface.counters.rx_bytes += packet.size();
            if (!interface.host) {
                pipeline.arrived(packet);
            }
        }
        if (packet.layout.family == Family::None) {
            const pipeline::State::Refused refused = state.refused[state.next_refused++];
            ++interface.counters.rx_dropped;
            packet.layout.family = refused.family;
            pipeline.malformed(packet, refused.reason);
        } else if (interface.host) {
            pipeline.originate(packet);
        } else if (interface.ipv6_disabled && packet.layout.family == Family::Ipv6) {
            pipeline.refuse(packet, DropReason::InterfaceDown);
        } else {
            pipeline.receive(packet);
        }
    }
    state.still_to_receive -= packets.size();
    if (state.still_to_receive == 0) {
        state.conntrack.end_batch();
    }
}

std::optional<Instant> Router::next_deadline() const {
    const pipeline::State& state = *state_;
    const Instant next = std::min({state.conntrack.next_deadline().value_or(kNever),
                                   state.defrag.next_deadline().value_or(kNever),
                                   state.sets.next_sweep().value_or(kNever)});
    return next == kNever ? std::nullopt : std::optional(next);
}

bool Router::expire(Instant now, EgressQueue& out) {
    constexpr std::size_t kDatagramsPerCall = 64;  // each may be answered with an error
    pipeline::State& state = *state_;
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
    state_->observer = observer;
}

void Router::hand_packets_to(rules::PacketLog* log) {
    state_->packet_log = log;
}

const pipeline::Recorder& Router::recorder() const {
    return state_->recorder;
}

void Router::resize_recorder(std::size_t records) {
    state_->recorder.resize(records);
}

pipeline::History& Router::history() {
    return state_->history;
}

const pipeline::DropPlaces& Router::drop_places() const {
    return state_->places;
}

std::optional<pipeline::RuleName> Router::name_of_rule(RuleId id) const {
    return state_->name_of_rule(id);
}

// --- rules, tracking, connections, sysctls ------------------------------------------------------

void Router::apply(rules::Ruleset ruleset, Instant now) {
    PreparedRules prepared = prepare_rules(std::move(ruleset), rules_basis());
    adopt(prepared, now);
}

RulesBasis Router::rules_basis() const {
    return state_->rules_basis();
}

RulesBasis Router::rules_basis(rules::CountersReading& reading) const {
    return state_->rules_basis(reading);
}

bool Router::read_counters(rules::CountersReading& reading) const {
    return state_->program.read_counters(reading);
}

void Router::adopt(PreparedRules& prepared, Instant now) {
    pipeline::State& state = *state_;
    state.adopt(prepared);
    if (state.program.begins_accounting()) {
        pipeline::Settings changed = state.settings();
        changed.conntrack.acct = 1;
        state.configure(changed);
    }
    state.follow_rules(now);
}

const rules::Ruleset& Router::ruleset() const {
    return state_->program.ruleset();
}

rules::Counted Router::counted() const {
    return state_->program.counted();
}

const rules::Rule* Router::find_rule(RuleId id) const {
    return state_->program.find(id).value_or(rules::RulePlace{}).rule;
}

Result<Done, std::string> Router::set_tracking(TrackingMode mode, Instant now) {
    if (mode == TrackingMode::Off) {
        for (const Family family : {Family::Ipv4, Family::Ipv6}) {
            if (!tracking_user(family).empty()) {
                return tracking_user(family);
            }
        }
    }
    state_->tracking = mode;
    state_->follow_rules(now);
    return Done{};
}

TrackingMode Router::tracking_mode() const {
    return state_->tracking;
}

const std::string& Router::tracking_user(Family family) const {
    return state_->program.needs_tracking(family);
}

bool Router::tracking_active() const {
    return conntrack().active(Family::Ipv4) || conntrack().active(Family::Ipv6);
}

pipeline::MadeConnections Router::made_connections() {
    return pipeline::MadeConnections(*state_);
}

void Router::zero_counters(ConnId id) {
    state_->conntrack.zero_counters(id);
}

void Router::destroy_connection(ConnId id, Instant now) {
    state_->conntrack.destroy(id, now, conntrack::ChangedBy::Administrator);
}

void Router::flush_expectations(Instant now) {
    state_->conntrack.flush_expectations(now);
}

void Router::forget_translations(std::optional<RuleId> rule, Instant now) {
    state_->nat.forget(rule, now);
}

void Router::recheck_connection(ConnId id) {
    state_->conntrack.recheck(id);
}

void Router::subscribe(conntrack::EventSubscriber& subscriber) {
    state_->conntrack.subscribe(subscriber);
}

void Router::unsubscribe(conntrack::EventSubscriber& subscriber) {
    state_->conntrack.unsubscribe(subscriber);
}

sets::Sets& Router::sets() {
    return state_->sets;
}

const sets::Sets& Router::sets() const {
    return state_->sets;
}

const sets::References& Router::set_references() const {
    return state_->sets_named;
}

conntrack::TimeoutPolicies& Router::timeout_policies() {
    return state_->conntrack.timeout_policies();
}

const rules::TimeoutReferences& Router::timeout_references() const {
    return state_->timeouts_named;
}

void Router::configure(const pipeline::Settings& settings) {
    state_->configure(settings);
}

pipeline::Settings Router::settings() const {
    return state_->settings();
}

pipeline::ShardDuties Router::shard_duties() {
    return pipeline::ShardDuties(*state_);
}

std::size_t Router::connections() const {
    return state_->conntrack.table().size() + state_->elsewhere.connections;
}

std::size_t Router::table_bytes() const {
    return state_->conntrack.table().bytes_in_use() + state_->elsewhere.table_bytes;
}

const conntrack::Conntrack& Router::conntrack() const {
    return state_->conntrack;
}

const nat::Nat& Router::nat() const {
    return state_->nat;
}

const defrag::Defrag& Router::defrag() const {
    return state_->defrag;
}

const routing::InterfaceTable& Router::interfaces() const {
    return state_->interfaces;
}

const routing::RouteTable& Router::routes() const {
    return state_->routes;
}

const IpCounters& Router::counters(Family family) const {
    return state_->counters[index_of(family)];
}

const DropCounters& Router::drops() const {
    return state_->drops;
}

}  // namespace nsr
