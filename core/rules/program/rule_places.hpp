// RulePlaces: where a rule stands, by its id, without a walk over all rules.
//
// Theory of operation
//   Rules lie in blocks whose ids are mostly of one time, and so in a narrow span. The spans are
//   sorted by their lower end; those that may hold an id are the last ones that begin at or below
//   it, as far back as one of the spans before them reaches up to it.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::rules {

struct RulePlace {
    TableId table = TableId::Filter;
    std::string_view chain;    // as long as the program lives
    std::uint32_t number = 0;  // in its chain, from 1
    const Rule* rule = nullptr;
};

class RulePlaces {
  public:
    // A block of a chain, behind `before` rules of it; its ids lie from `least` to `most`. Both
    // must live as long as this is used.
    struct Block {
        TableId table = TableId::Filter;
        const Chain* chain = nullptr;
        std::uint32_t before = 0;
        const RuleBlock* rules = nullptr;
        RuleId least = RuleId::None;
        RuleId most = RuleId::None;
    };
    void add(const Block& block) { spans_.push_back({block, RuleId::None}); }
    // Behind the last add().
    void finish();
    [[nodiscard]] std::optional<RulePlace> find(RuleId id) const;

  private:
    struct Span {
        Block block;
        RuleId reach;  // the largest `most` up to here
    };
    std::vector<Span> spans_;
};

}  // namespace nsr::rules
