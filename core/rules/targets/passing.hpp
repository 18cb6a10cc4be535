// PassingTarget: a target that changes nothing about a packet, and lets the rules go on.
#pragma once

#include <string>
#include <utility>

#include "core/rules/target.hpp"

namespace nsr::rules {

class PassingTarget : public Target {
  public:
    PassingTarget(std::string_view name, std::string text, std::uint8_t hooks = kAllHooks)
        : Target(name), text_(std::move(text)), hooks_(hooks) {}
    [[nodiscard]] std::string save() const override { return text_; }
    [[nodiscard]] std::uint8_t hooks() const override { return hooks_; }

  private:
    std::string text_;
    std::uint8_t hooks_;
};

}  // namespace nsr::rules
