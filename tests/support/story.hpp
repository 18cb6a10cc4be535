// Story: what happened in a test, step by step, for whoever has to understand why it failed.
//
//   step 3 is wrong: ttl is 63, not 62
//     1. given *filter -P FORWARD ACCEPT
//     2. when lan IPv4 10.0.0.2 > 198.51.100.7 ...
//          FORWARD: mangle, filter
//          out wan IPv4 10.0.0.2 > ...
//   > 3. expect wan IPv4 10.0.0.2 > ...
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/pipeline/router.hpp"

namespace nsr::test {

class Story {
  public:
    void step(std::string text);
    // What came of the last step.
    void note(std::string text);
    // The last steps, numbered from the beginning; the last one is what broke.
    [[nodiscard]] std::string told(std::string_view what_is_wrong) const;

  private:
    struct Step {
        std::string text;
        std::vector<std::string> notes;
    };
    std::vector<Step> steps_;
};

// Writes into the story what each packet meets: a line for each hook with its stages, what was
// dropped and why, what left.
class Tracer : public Observer {
  public:
    explicit Tracer(Story& story) : story_(story) {}

    void rule_tried(const rules::RuleTried&) override {}
    void policy_applied(rules::TableId, std::string_view, rules::Policy) override {}
    void packet_received(const Packet& packet) override;
    void stage_done(Hook hook, pipeline::StageId stage, const Packet& packet,
                    Verdict verdict) override;
    void routed(const Packet&, const routing::Decision&) override;
    void dropped(const Packet&, DropReason reason) override;
    void left(const Packet& packet) override;
    // The line of the hook that was passed last.
    void finish();

    std::vector<DropReason> drops;
    CtInfo tracked = CtInfo::Untracked;  // what tracking made of the last packet

  private:
    Story& story_;
    std::string line_;
    std::string_view hook_;
};

}  // namespace nsr::test
