#include "core/pipeline/trial.hpp"

#include <chrono>
#include <utility>

#include "core/local/first_packet.hpp"
#include "core/rules/match.hpp"
#include "core/rules/target.hpp"

namespace nsr {
namespace {

constexpr Duration kBetweenTwo = std::chrono::hours(7 * 24);
constexpr std::uint32_t kRoom = 64;  // connections: one, and what answers to it make

Router::Options options_of(const Trial::Surroundings& surroundings) {
    Router::Options options;
    options.settings = surroundings.settings;
    options.settings.conntrack.max = kRoom;
    options.settings.conntrack.buckets = kRoom;
    options.settings.conntrack.log_invalid = 0;
    options.settings.conntrack.checksum = 0;
    options.tracking = surroundings.tracking;
    return options;
}

// With the same indices.
void add_interfaces(const routing::InterfaceTable& table, Router& router) {
    const std::size_t count = table.names_by_index().size();
    for (std::size_t i = 1; i <= count; ++i) {
        const auto index = static_cast<IfIndex>(i);
        router.add_interface(table.has(index) ? table.get(index) : routing::Interface{},
                             Router::BindRules::Later);
        if (!table.has(index)) {
            router.remove_interface(index, Instant{});
        }
    }
}

}  // namespace

Trial::Trial(const Surroundings& surroundings, const rules::Ruleset& ruleset)
    : router_(std::make_unique<Router>(options_of(surroundings))) {
    add_interfaces(surroundings.interfaces, *router_);
    // One that is impossible by now leads nowhere here either.
    for (const routing::Route& route : surroundings.routes) {
        static_cast<void>(router_->add_route(route));
    }
    router_->set_policy_rules(surroundings.policy_rules);
    router_->apply(ruleset, Instant{});
    router_->observe(this);
}

Trial::~Trial() = default;

Trial::Outcome Trial::judge(const conntrack::Tuple& original, Instant now) {
    outcome_ = {};
    answers_ = false;
    unsure_ = false;
    last_.clear();
    const IfIndex in = way_in(original.source);
    if (in == IfIndex::None) {
        return outcome_;
    }
    const Instant then = now + kBetweenTwo * judged_++;
    Packet packet =
        local::first_packet(pool_, {original.source, original.destination, original.source_port,
                                    original.destination_port, original.protocol});
    packet.meta.in = in;
    judged_packet_ = &packet;
    router_->receive({&packet, 1}, then, left_);
    left_.clear();
    forget_connections(then);
    if (unsure_) {
        outcome_ = {};
    }
    return std::exchange(outcome_, {});
}

IfIndex Trial::way_in(const IpAddress& source) const {
    const routing::Decision back = router_->routes().lookup(source);
    if (back.kind == routing::Destination::Unicast) {
        return back.out;
    }
    return back.kind == routing::Destination::Local ? router_->interfaces().host() : IfIndex::None;
}

void Trial::forget_connections(Instant now) {
    const conntrack::Table& table = router_->conntrack().table();
    conntrack::Table::Cursor cursor;
    std::vector<ConnId> found;
    while (!cursor.over) {
        std::size_t looks = kRoom;
        while (const auto id = table.next(cursor, looks)) {
            found.push_back(*id);
        }
    }
    for (const ConnId id : found) {
        router_->destroy_connection(id, now);
    }
}

// --- what happens to the packet -----------------------------------------------------------------

void Trial::packet_received(const Packet& packet) {
    answers_ = answers_ || &packet != judged_packet_;
}

void Trial::stage_done(Hook /*hook*/, pipeline::StageId stage, const Packet& packet,
                       Verdict verdict) {
    if (&packet != judged_packet_ || stage != pipeline::StageId::Confirm || !verdict.accepted()) {
        return;
    }
    if (packet.meta.conn == ConnId::None) {
        outcome_.fate = Fate::Untracked;
        return;
    }
    const conntrack::Table& table = router_->conntrack().table();
    const conntrack::Connection& record = table[packet.meta.conn];
    outcome_.fate = Fate::Accepted;
    outcome_.accepted_by = record.accepted_by;
    outcome_.translated_by = record.translated_by;
    outcome_.reply = table.tuple(packet.meta.conn, Direction::Reply);
}

void Trial::left(const Packet& packet) {
    answers_ = answers_ && &packet == judged_packet_;
}

// What is no rule's doing (no route, no room) is not judged.
void Trial::dropped(const Packet& packet, DropReason reason) {
    left(packet);
    const bool by_rules = reason == DropReason::RuleDrop || reason == DropReason::RuleReject ||
                          reason == DropReason::PolicyDrop;
    if (by_rules && &packet == judged_packet_) {
        outcome_.fate = Fate::Refused;
        outcome_.refused_by = last_;
    }
}

void Trial::rule_tried(const rules::RuleTried& tried) {
    if (answers_) {
        return;
    }
    const Unknown unknown = unknown_of(tried.rule);
    unsure_ = unsure_ || unknown.sets || (unknown.memory && tried.matched);
    if (tried.matched) {
        last_ = to_string(tried.rule.where);
    }
}

void Trial::policy_applied(rules::TableId /*table*/, std::string_view chain,
                           rules::Policy /*policy*/) {
    if (!answers_) {
        last_ = "the policy of " + std::string(chain);
    }
}

Trial::Unknown Trial::unknown_of(const rules::Rule& rule) {
    const auto [known, is_new] = unknowns_.emplace(raw(rule.id), Unknown{});
    if (is_new) {
        for (const auto& match : rule.matches) {
            known->second.sets = known->second.sets || !match->set_name().empty();
            known->second.memory = known->second.memory || match->make_state() != nullptr;
        }
        const bool maps = rule.target != nullptr && rule.target->asks_sets();
        known->second.memory = known->second.memory || maps;
    }
    return known->second;
}

bool treats_differently(const JudgedConnection& connection, const Trial::Outcome& outcome) {
    switch (outcome.fate) {
        case Trial::Fate::Unsure:
            return false;
        case Trial::Fate::Refused:
        case Trial::Fate::Untracked:
            return true;
        case Trial::Fate::Accepted:
            break;
    }
    if (outcome.translated_by == connection.translated_by) {
        return false;
    }
    const conntrack::Tuple& is = connection.reply;
    const conntrack::Tuple& would_be = outcome.reply;
    return is.source != would_be.source || is.source_port != would_be.source_port ||
           is.destination != would_be.destination;
}

}  // namespace nsr
