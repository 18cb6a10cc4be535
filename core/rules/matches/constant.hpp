// ConstantMatch: a match that answers the same to every packet here, because what it is about does
// not exist on the way of a packet through this router, or has one value only.
#pragma once

#include <string>
#include <utility>

#include "core/rules/match.hpp"

namespace nsr::rules {

class ConstantMatch : public Match {
  public:
    ConstantMatch(std::string_view module, std::string text, bool answer,
                  std::uint8_t hooks = kAllHooks)
        : Match(module), text_(std::move(text)), answer_(answer), hooks_(hooks) {}
    [[nodiscard]] std::string save() const override { return text_; }
    [[nodiscard]] MatchResult test(ActionParam&) const override { return yes_if(answer_); }
    [[nodiscard]] std::uint8_t hooks() const override { return hooks_; }

  private:
    std::string text_;
    bool answer_;
    std::uint8_t hooks_;
};

}  // namespace nsr::rules
