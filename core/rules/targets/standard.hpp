// ACCEPT, DROP, RETURN, and the jump to a user chain.
// kernel: xt_standard_target
#pragma once

#include <string_view>

#include "core/rules/target.hpp"

namespace nsr::rules {

class StandardTarget : public Target {
  public:
    enum class Kind : std::uint8_t { Accept, Drop, Return, Jump, Goto };

    StandardTarget(Kind kind, std::string_view name) : Target(name), kind_(kind) {}
    [[nodiscard]] CompiledTarget compile() const override;
    [[nodiscard]] Jump jump() const override;
    [[nodiscard]] std::shared_ptr<const Target> renamed(std::string_view chain) const override {
        return std::make_shared<StandardTarget>(kind_, chain);
    }

  private:
    Kind kind_;
};

}  // namespace nsr::rules
