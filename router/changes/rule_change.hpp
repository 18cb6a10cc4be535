// RuleChange: the rules at work replaced by what a function of values makes of them.
#pragma once

#include <optional>
#include <string>

#include "core/pipeline/prepared_rules.hpp"
#include "core/pipeline/router.hpp"
#include "router/base/clock.hpp"
#include "router/changes/tasks.hpp"
#include "router/control/controls.hpp"
#include "router/ports/engine.hpp"

namespace nsr::router {

class RuleChange : public Task {
  public:
    struct Parts {
        Router& router;
        Engine& engine;
        const SystemClock& clock;
        Worker& worker;
    };
    RuleChange(Parts parts, MakeRules make, RulesChanged done)
        : parts_(parts), make_(std::move(make)), done_(std::move(done)) {}

    bool begin() override;
    void work() override;
    Next finish(const std::string& failure) override;

  private:
    [[nodiscard]] std::string missing_name() const;

    Parts parts_;
    MakeRules make_;
    RulesChanged done_;
    rules::CountersReading reading_;
    std::optional<RulesBasis> basis_;
    std::optional<PreparedRules> prepared_;
    std::string refusal_;
};

}  // namespace nsr::router
