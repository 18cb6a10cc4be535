// A rule as a value: its matches, its target, where it stands in a text.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/config_error.hpp"
#include "core/base/ids.hpp"

namespace nsr::rules {

struct RuleCounters {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;

    friend bool operator==(const RuleCounters&, const RuleCounters&) = default;
};

class Match;   // one compiled-in kind of match with its parameters; see match.hpp
class Target;  // ditto, target.hpp

struct Rule {
    RuleId id = RuleId::None;  // unique in the ruleset, given when it is added
    std::vector<std::shared_ptr<const Match>>
        matches;  // -s, -d, -i, -o, -p, -f first, then -m in order of appearance
    std::shared_ptr<const Target> target;  // null: count only
    RuleCounters counters;                 // that it begins with; see count_from
    std::uint64_t counting = 0;            // changes with each count_from
    SourceLocation where;
};

// What stands in a running program as the same rule (or policy) counts from `counters` on; without
// this it goes on counting, whatever its `counters` say.
template <class Counting>
void count_from(Counting& value, const RuleCounters& counters) {
    value.counters = counters;
    ++value.counting;
}

}  // namespace nsr::rules
