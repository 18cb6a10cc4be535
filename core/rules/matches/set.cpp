// -m set: whether an address set holds the packet.
// kernel: set_match_v4 of xt_set.c
#include <algorithm>
#include <array>

#include "core/rules/matches/matches.hpp"
#include "core/rules/set_use.hpp"
#include "core/rules/words/text.hpp"
#include "core/sets/sets.hpp"

namespace nsr::rules {

namespace {

using sets::Compare;
using sets::CounterTest;

constexpr std::array kSetOptions = std::to_array<OptionSpec>({
    {"match-set", 2, true},
    {"set", 2, true, "match-set"},
    {"return-nomatch", 0, false, {}, true},
    {"update-counters", 0, true, {}, true},
    {"update-subcounters", 0, true, {}, true},
    {"packets-eq", 1, true},
    {"packets-lt"},
    {"packets-gt"},
    {"bytes-eq", 1, true},
    {"bytes-lt"},
    {"bytes-gt"},
});

class SetMatch : public Match {
  public:
    SetMatch() : Match("set") {}
    std::string save() const override;
    std::string_view set_name() const override { return use.name; }
    MatchResult test(ActionParam& par) const override;
    Wanted wanted() const override;

    SetUse use;
    bool invert = false;
    bool return_nomatch = false;
    bool update_counters = true;
    bool update_subcounters = true;
    std::optional<CounterTest> packets;
    std::optional<CounterTest> bytes;
};

// kernel: ip_set_test, match_set
MatchResult SetMatch::test(ActionParam& par) const {
    const sets::Question question{.packet_bytes = par.packet.layout.total_length,
                                  .update_counters = update_counters,
                                  .update_subcounters = update_subcounters,
                                  .return_nomatch = return_nomatch,
                                  .packets = packets,
                                  .bytes = bytes};
    const bool held =
        par.sets.match(use.name, seen_by_sets(par), use.directions, question, par.now);
    return yes_if(held != invert);
}

// An element that is not there counts nothing, whatever the options say.
Wanted SetMatch::wanted() const {
    if (invert) {
        return {};
    }
    return {.set = use.name, .set_of_sources = use.directions.source(0)};
}

void save_counter(std::string& text, const std::optional<CounterTest>& test,
                  std::string_view what) {
    if (!test) {
        return;
    }
    constexpr std::array<std::string_view, 4> kNames = {"eq", "eq", "lt", "gt"};
    append(text, std::string(bang(test->compare == Compare::NotEqual)) + "--" + std::string(what) +
                     "-" + std::string(kNames[static_cast<std::size_t>(test->compare)]) + " " +
                     std::to_string(test->value));
}

std::string SetMatch::save() const {
    std::string text = std::string(bang(invert)) + "--match-set " + to_string(use);
    if (return_nomatch) {
        append(text, "--return-nomatch");
    }
    if (!update_counters) {
        append(text, "! --update-counters");
    }
    if (!update_subcounters) {
        append(text, "! --update-subcounters");
    }
    save_counter(text, packets, "packets");
    save_counter(text, bytes, "bytes");
    return text;
}

// --packets-eq and its like. False after an error.
bool read_counter(const Options& options, RuleContext& context, std::string_view what,
                  std::optional<CounterTest>& test) {
    constexpr std::array kCompares = {Compare::Equal, Compare::Less, Compare::Greater};
    constexpr std::array<std::string_view, 3> kNames = {"-eq", "-lt", "-gt"};
    for (std::size_t i = 0; i < kNames.size(); ++i) {
        const std::string name = std::string(what) + std::string(kNames[i]);
        const GivenOption* given = options.find(name);
        if (given == nullptr) {
            continue;
        }
        if (test) {
            context.error(*given,
                          "only one of the --" + std::string(what) + "-[eq|lt|gt] is allowed");
            return false;
        }
        const auto value = parse_number(given->value);
        if (!value) {
            context.error(*given, "Cannot parse " + given->value + " as a counter value");
            return false;
        }
        test = CounterTest{given->inverted ? Compare::NotEqual : kCompares[i], *value};
    }
    return true;
}

std::shared_ptr<const Match> parse_set(const Options& options, RuleContext& context) {
    const GivenOption* named = options.find("match-set");
    if (named == nullptr) {
        context.error("match \"set\" needs --match-set NAME src,dst");
        return nullptr;
    }
    auto match = std::make_shared<SetMatch>();
    const auto use = read_set_use(*named, context);
    if (!use || !read_counter(options, context, "packets", match->packets) ||
        !read_counter(options, context, "bytes", match->bytes)) {
        return nullptr;
    }
    const auto negated = [&](std::string_view name) {
        return std::any_of(
            options.given.begin(), options.given.end(),
            [&](const GivenOption& given) { return given.name == name && given.inverted; });
    };
    match->use = *use;
    match->invert = named->inverted;
    match->return_nomatch = options.has("return-nomatch");
    match->update_counters = !negated("update-counters");
    match->update_subcounters = !negated("update-subcounters");
    return match;
}

}  // namespace

const MatchModule kSetMatch = {"set", kBothFamilies, kSetOptions, parse_set};

}  // namespace nsr::rules
