#include "core/observe/watcher.hpp"

#include <utility>

#include "core/observe/hint.hpp"
#include "core/packet/describe.hpp"
#include "core/rules/save.hpp"
#include "core/rules/target.hpp"
#include "core/wire/bytes.hpp"

namespace nsr::observe {

using pipeline::StageId;

namespace {

bool has_ports(const Packet& packet) {
    return proto::has_ports(packet.layout.protocol) && packet.layout.has_l4_header() &&
           packet.l4().size() >= 4;
}

}  // namespace

void Watcher::packet_received(const Packet& packet) {
    const Observation* cause = current();
    const std::uint64_t caused_by = cause != nullptr ? cause->number : 0;
    std::uint64_t wishes = cause != nullptr ? cause->wanted_by : 0;
    wishes |= wanted ? wanted(packet) : 1;
    if (wishes == 0 || observations_.size() == kMostCaused) {
        open_.push_back({.index = kNone});
        return;
    }
    add(CausedStep{made_ + 1});
    open_.push_back({.index = observations_.size()});
    Observation& made = observations_.emplace_back();
    made.number = ++made_;
    made.caused_by = caused_by;
    made.at = now_;
    made.cause = packet.meta.cause;
    const IfIndex in =
        packet.meta.in != IfIndex::None ? packet.meta.in : packet.meta.host_interface;
    made.in = interface_name(in);
    made.in_index = in;
    made.packet = describe(packet);
    made.wanted_by = wishes;
    if (depth.bytes) {
        made.bytes.assign(packet.bytes().begin(), packet.bytes().end());
    }
}

void Watcher::packet_done() {
    open_.pop_back();
    if (!open_.empty()) {
        return;
    }
    if (!observations_.empty() && done) {
        done(observations_);
    }
    observations_.clear();
}

void Watcher::stage_begins(Hook hook, StageId stage, const Packet& packet) {
    if (current() == nullptr) {
        return;
    }
    Open& open = open_.back();
    open.place = {hook, stage};
    open.refused = false;
    open.length = packet.layout.total_length;
    open.ends = ends_of(packet);
    if (stage == StageId::Track) {
        open.before = find_connection(packet);
    }
    if (stage == StageId::Confirm) {
        open.confirmed =
            packet.meta.conn == ConnId::None ||
            router_.conntrack().table()[packet.meta.conn].has(conntrack::status::kConfirmed);
    }
}

void Watcher::stage_done(Hook hook, StageId stage, const Packet& packet, Verdict verdict) {
    Observation* seen = current();
    if (seen == nullptr) {
        return;
    }
    Open& open = open_.back();
    open.place = {hook, stage};
    open.refused = verdict.dropped();
    if (verdict.was_stolen()) {
        seen->fate = Fate::Kept;
        return add(KeptStep{open.place});
    }
    if (!verdict.accepted()) {
        return;
    }
    seen->zone = packet.meta.zone;
    seen->mark = packet.meta.mark;
    if (stage == StageId::Track) {
        tracked(packet);
    } else if (stage == StageId::Dnat || stage == StageId::Snat || stage == StageId::Helper) {
        translated(packet);
    } else if (stage == StageId::Confirm && !open.confirmed && packet.meta.conn != ConnId::None) {
        add(ConfirmedStep{open.place, snapshot(packet.meta.conn)});
    }
}

void Watcher::routed(const Packet&, const routing::Decision& decision) {
    if (current() != nullptr) {
        const bool somewhere = decision.kind == routing::Destination::Unicast;
        add(RoutedStep{decision, somewhere ? interface_name(decision.out) : std::string()});
    }
}

void Watcher::dropped(const Packet& packet, DropReason reason) {
    Observation* seen = current();
    if (seen == nullptr) {
        return;
    }
    seen->fate = Fate::Dropped;
    seen->reason = reason;
    seen->mark = packet.meta.mark;
    DroppedStep step{reason, {}, hint(packet, reason)};
    if (open_.back().refused) {
        step.place = open_.back().place;
    }
    add(std::move(step));
}

void Watcher::delivered(const Packet&) {
    if (Observation* seen = current(); seen != nullptr) {
        seen->fate = Fate::Delivered;
        add(DeliveredStep{});
    }
}

void Watcher::left(const Packet& packet) {
    Observation* seen = current();
    if (seen == nullptr) {
        return;
    }
    seen->fate = Fate::Left;
    seen->mark = packet.meta.mark;
    LeftStep step{interface_name(packet.meta.out), describe(packet), packet.meta.out, {}, 0};
    if (depth.bytes) {
        step.bytes.assign(packet.bytes().begin(), packet.bytes().end());
    }
    add(std::move(step));
}

void Watcher::rule_tried(const rules::RuleTried& tried) {
    Observation* seen = current();
    if (seen == nullptr || (!tried.matched && !depth.every_rule)) {
        return;
    }
    RuleStep step;
    step.place = open_.back().place;
    step.table = tried.table;
    step.chain = tried.chain;
    step.number = tried.number;
    step.where = tried.rule.where;
    step.text = "-A " + rules::rule_text(tried.chain, tried.rule);
    step.target = tried.rule.target != nullptr ? tried.rule.target->name() : std::string_view();
    step.counters = tried.counters;
    step.counters.packets += tried.matched ? 1 : 0;
    step.counters.bytes += tried.matched ? open_.back().length : 0;
    step.matched = tried.matched;
    seen->traced = seen->traced || (tried.matched && step.target == "TRACE");
    add(std::move(step));
}

void Watcher::policy_applied(rules::TableId table, std::string_view chain, rules::Policy policy) {
    if (current() != nullptr) {
        add(PolicyStep{open_.back().place, table, std::string(chain), policy});
    }
}

// --- what is asked of the router ----------------------------------------------------------------

Observation* Watcher::current() {
    return open_.empty() || open_.back().index == kNone ? nullptr
                                                        : &observations_[open_.back().index];
}

void Watcher::add(Step step) {
    Observation* seen = current();
    if (seen == nullptr) {
        return;
    }
    if (seen->steps.size() < kMostSteps || !std::holds_alternative<RuleStep>(step)) {
        seen->steps.push_back(std::move(step));
    } else {
        ++seen->left_out;
    }
}

std::string Watcher::interface_name(IfIndex index) const {
    if (index == IfIndex::Loopback) {
        return "lo";
    }
    return router_.interfaces().has(index) ? router_.interfaces().get(index).name : std::string();
}

Watcher::Ends Watcher::ends_of(const Packet& packet) {
    Ends ends{packet.layout.source, packet.layout.destination};
    if (has_ports(packet)) {
        ends.source_port = wire::load16(packet.l4().data());
        ends.destination_port = wire::load16(packet.l4().data() + 2);
    }
    return ends;
}

ConnectionState Watcher::snapshot(ConnId id) const {
    const conntrack::Table& table = router_.conntrack().table();
    const conntrack::Connection& record = table[id];
    return {id, conntrack::state_name(record), record.status, table.tuple(id, Direction::Original),
            table.tuple(id, Direction::Reply)};
}

std::optional<ConnectionState> Watcher::find_connection(const Packet& packet) const {
    const Meta& meta = packet.meta;
    if (meta.ct_seen) {
        return meta.conn != ConnId::None ? std::optional(snapshot(meta.conn)) : std::nullopt;
    }
    const auto tuple = conntrack::tuple_of(packet);
    if (!tuple) {
        return std::nullopt;
    }
    const conntrack::Table& table = router_.conntrack().table();
    for (const Direction direction : {Direction::Original, Direction::Reply}) {
        const bool counts = direction == Direction::Original ? meta.zone_original : meta.zone_reply;
        const auto hit =
            table.find(*tuple, counts ? meta.zone : Zone{0}, to_jiffies(now_), direction);
        if (hit) {
            return snapshot(hit->id);
        }
    }
    return std::nullopt;
}

void Watcher::tracked(const Packet& packet) {
    if (!router_.conntrack().active(packet.layout.family)) {
        return;
    }
    Open& open = open_.back();
    TrackedStep step{open.place, packet.meta.ct_info, std::move(open.before), {}, {}};
    open.before.reset();
    if (packet.meta.conn != ConnId::None) {
        step.after = snapshot(packet.meta.conn);
    }
    if (packet.meta.ct_info == CtInfo::Invalid) {
        step.why = router_.conntrack().invalid_note().why.data();
    }
    add(std::move(step));
}

void Watcher::translated(const Packet& packet) {
    const Open& open = open_.back();
    const Ends& was = open.ends;
    const Ends is = ends_of(packet);
    const bool ports = has_ports(packet);
    if (is.destination != was.destination || is.destination_port != was.destination_port) {
        add(TranslatedStep{open.place, false,
                           endpoint_text(was.destination, was.destination_port, ports),
                           endpoint_text(is.destination, is.destination_port, ports)});
    }
    if (is.source != was.source || is.source_port != was.source_port) {
        add(TranslatedStep{open.place, true, endpoint_text(was.source, was.source_port, ports),
                           endpoint_text(is.source, is.source_port, ports)});
    }
}

std::string Watcher::hint(const Packet& packet, DropReason reason) const {
    HintContext context;
    context.reason = reason;
    const IfIndex in =
        packet.meta.in != IfIndex::None ? packet.meta.in : packet.meta.host_interface;
    context.in = interface_name(in);
    context.out = interface_name(packet.meta.out);
    context.in_hook = open_.back().refused;
    context.hook = open_.back().place.hook;
    context.family = packet.layout.family;
    context.protocol = packet.layout.protocol;
    context.info = packet.meta.ct_info;
    context.tracked = packet.meta.ct_seen;
    for (const Step& step : observations_[open_.back().index].steps) {
        if (const auto* rule = std::get_if<RuleStep>(&step); rule != nullptr && rule->matched) {
            context.rule = to_string(rule->where);
            context.chain = rule->chain;
        } else if (const auto* seen = std::get_if<TrackedStep>(&step)) {
            context.why_invalid = seen->why;
        }
    }
    return nsr::observe::hint(context);
}

}  // namespace nsr::observe
