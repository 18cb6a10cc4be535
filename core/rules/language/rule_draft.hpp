// RuleDraft: the parts of a rule while its words are being read. It knows the options that every
// rule may have (-p, -s, -d, -i, -o, -f, -j, -g, -c); the parser feeds it.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <vector>

#include "core/rules/match.hpp"
#include "core/rules/options.hpp"
#include "core/rules/ruleset.hpp"
#include "core/rules/target.hpp"
#include "core/rules/words/addresses.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

class RuleDraft {
  public:
    static constexpr std::size_t kMostRulesOfALine = 16384;

    // `chains` is where -j looks for user chains. `counters` stood before the rule.
    RuleDraft(RuleContext& context, const Table& chains, const Tolerance& tolerance,
              const std::optional<RuleCounters>& counters)
        : context_(context),
          chains_(chains),
          tolerance_(tolerance),
          counters_given_(counters.has_value()),
          counters_(counters.value_or(RuleCounters{})) {}

    void set_protocol(const GivenOption& given);
    void set_addresses(const GivenOption& given, bool source);
    void set_interface(const GivenOption& given, bool in);
    void set_fragments(const GivenOption& given);
    void set_counters(const GivenOption& given);

    // What the name behind -j or -g is: a verdict or a user chain, which become the target at once,
    // or the name of a target module, or neither, which is reported.
    // Tolerated: a target that is not supported, and may stand there all the same.
    enum class TargetKind : std::uint8_t { Standard, Module, Tolerated, Unknown };
    TargetKind set_target(const GivenOption& given, bool is_goto);

    void add(std::shared_ptr<const Match> match) { matches_.push_back(std::move(match)); }
    void set(std::shared_ptr<const Target> target) { target_ = std::move(target); }

    // One rule for every pair of source and destination. Empty after an error: there are too many.
    // differs: rules-bounded
    [[nodiscard]] std::vector<Rule> expand() const;

  private:
    [[nodiscard]] std::string wanted_address() const;
    void check_interface_chain(const GivenOption& given, bool in) const;
    bool set_verdict(const GivenOption& given);
    void unknown_target(const GivenOption& given, bool is_goto) const;
    [[nodiscard]] std::vector<std::shared_ptr<const Match>> address_matches(
        std::size_t which) const;
    [[nodiscard]] Rule rule_for(const std::shared_ptr<const Match>& source,
                                const std::shared_ptr<const Match>& destination) const;

    RuleContext& context_;
    const Table& chains_;
    const Tolerance& tolerance_;
    std::array<std::vector<MaskedAddress>, 2> addresses_;  // [0] source, [1] destination
    std::array<bool, 2> address_inverted_{};
    std::array<bool, 2> interface_given_{};              // -i, -o: "+" is no condition
    std::array<std::shared_ptr<const Match>, 4> basic_;  // -i, -o, -p, -f
    std::vector<std::shared_ptr<const Match>> matches_;
    std::shared_ptr<const Target> target_;
    bool protocol_given_ = false;
    bool target_given_ = false;
    bool counters_given_;
    RuleCounters counters_;
};

}  // namespace nsr::rules
