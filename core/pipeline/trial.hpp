// Trial: what rules would make of connections, if these began now.
//
// Theory of operation
//   A router of its own, with the interfaces, routes and settings of the one at work and the rules
//   in question: for each connection it is given a first packet of the original direction, which
//   runs through all hooks as any other would; what it made of it is forgotten before the next one.
//   So there is no second opinion about rules, and nothing that the router at work has is changed,
//   not even looked at: it may run in another thread. The packet comes in by the interface through
//   which its source would be reached. Packets of the router's own begin in OUTPUT where there is a
//   [host] interface; without one they are not judged. A rule that remembers (limit, recent, quota,
//   statistic, ...) starts with nothing remembered, and a week passes between two connections; if
//   such a rule matched, the outcome is Unsure: who else came before decides. So it is if a rule
//   asked an address set, or marked the packet by one: only the router at work has those.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/conntrack/record/tuple.hpp"
#include "core/pipeline/observer.hpp"
#include "core/pipeline/router.hpp"

namespace nsr {

class Trial : private Observer {
  public:
    struct Surroundings {
        routing::InterfaceTable interfaces;
        std::vector<routing::Route> routes;
        pipeline::Settings settings;
        TrackingMode tracking = TrackingMode::Auto;
        routing::RuleList policy_rules = {};
    };
    enum class Fate : std::uint8_t {
        Accepted,
        Untracked,  // it would pass without a connection
        Refused,    // by a rule or a policy
        Unsure,
    };
    struct Outcome {
        Fate fate = Fate::Unsure;
        std::string refused_by;               // "rules.v4:12", or "the policy of FORWARD"
        RuleId accepted_by = RuleId::None;    // valid iff Accepted
        RuleId translated_by = RuleId::None;  // valid iff Accepted
        conntrack::Tuple reply;               // valid iff Accepted
    };

    Trial(const Surroundings& surroundings, const rules::Ruleset& ruleset);
    ~Trial() override;
    Trial(const Trial&) = delete;
    Trial& operator=(const Trial&) = delete;

    Outcome judge(const conntrack::Tuple& original, Instant now);

  private:
    void packet_received(const Packet& packet) override;
    void stage_done(Hook hook, pipeline::StageId stage, const Packet& packet,
                    Verdict verdict) override;
    void routed(const Packet&, const routing::Decision&) override {}
    void dropped(const Packet& packet, DropReason reason) override;
    void left(const Packet& packet) override;
    void rule_tried(const rules::RuleTried& tried) override;
    void policy_applied(rules::TableId table, std::string_view chain,
                        rules::Policy policy) override;

    [[nodiscard]] IfIndex way_in(const IpAddress& source) const;
    // What the outcome of a rule hangs on that is not known here.
    struct Unknown {
        bool memory = false;
        bool sets = false;
    };
    [[nodiscard]] Unknown unknown_of(const rules::Rule& rule);
    void forget_connections(Instant now);

    std::unique_ptr<Router> router_;
    BufferPool pool_;
    EgressQueue left_;
    std::int64_t judged_ = 0;
    std::unordered_map<std::uint32_t, Unknown> unknowns_;  // by RuleId
    // of the packet at hand
    const Packet* judged_packet_ = nullptr;
    bool answers_ = false;  // what rules are tried for now is an answer to it, or a copy of it
    bool unsure_ = false;
    std::string last_;  // rule that matched, or policy
    Outcome outcome_;
};

// What is known of a connection that there is.
struct JudgedConnection {
    conntrack::Tuple reply;
    RuleId translated_by = RuleId::None;
};

// Whether rules that make `outcome` of it treat it differently: they would refuse it, not track it,
// or translate it to other addresses (the source's port is nobody's wish). The same rule cannot:
// that it chooses another address each time is its business.
bool treats_differently(const JudgedConnection& connection, const Trial::Outcome& outcome);

}  // namespace nsr
