// MatchState: what a rule remembers between packets (tokens of `limit`, lists of `recent`).
#pragma once

#include <cstddef>
#include <memory>

namespace nsr::rules {

// Belongs to a program, never to a Match. Of one rule, or of all that share it under a name.
class MatchState {
  public:
    virtual ~MatchState() = default;
    // How many addresses or the like it knows.
    [[nodiscard]] virtual std::size_t remembered() const = 0;
};

}  // namespace nsr::rules
