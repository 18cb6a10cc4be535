// The options of SNAT and MASQUERADE that say how the NAT behaves, which no iptables has.
#pragma once

#include <algorithm>
#include <array>
#include <string>

#include "core/nat/range.hpp"
#include "core/rules/options.hpp"

namespace nsr::rules {

struct RuleContext;

inline constexpr std::array kBehaviourOptions = std::to_array<OptionSpec>({
    {"profile"},
    {"mapping"},
    {"filtering"},
    {"hairpin"},
    {"port-allocation"},
    {"port-block"},
    {"session-limit"},
    {"refresh"},
    {"icmp-errors"},
    {"pooling"},
    {"inside"},
    {"no-udp", 0},
});

template <std::size_t N>
constexpr auto with_behaviour(const std::array<OptionSpec, N>& own) {
    std::array<OptionSpec, N + kBehaviourOptions.size()> all{};
    std::copy(own.begin(), own.end(), all.begin());
    std::copy(kBehaviourOptions.begin(), kBehaviourOptions.end(), all.begin() + N);
    return all;
}

// A profile first, then what is said beside it. `text`: as the rule saves it. False: an error was
// told.
bool read_behaviour(const Options& options, const RuleContext& context, nat::Range& range,
                    std::string& text);

}  // namespace nsr::rules
