// Modules: the kinds of match and target that rules may name. Each is a row: its name, its option
// table, and a function that makes a Match or Target from the options given in one rule. The rows
// are listed in matches/matches.cpp and targets/targets.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/rules/match.hpp"
#include "core/rules/options.hpp"
#include "core/rules/target.hpp"

namespace nsr::rules {

// In which families something makes sense.
struct FamilySupport {
    bool ipv4 = false;
    bool ipv6 = false;
    [[nodiscard]] constexpr bool has(Family family) const {
        return family == Family::Ipv6 ? ipv6 : ipv4;
    }
};
inline constexpr FamilySupport kBothFamilies{true, true};
inline constexpr FamilySupport kIpv4Only{true, false};
inline constexpr FamilySupport kIpv6Only{false, true};

struct MatchModule {
    std::string_view name;
    FamilySupport families;
    std::span<const OptionSpec> options;
    // Null after an error was reported.
    std::shared_ptr<const Match> (*parse)(const Options& options, RuleContext& context);
    // Loaded by -p without -m when one of its options appears, and only legal with it. 0: none.
    std::uint8_t protocol = 0;
    FamilySupport needs_protocol = kBothFamilies;  // where it is legal with `protocol` only
    std::size_t ipv4_options = kAllOptions;        // how many of `options`, the first, IPv4 has

    static constexpr std::size_t kAllOptions = 1000;
    [[nodiscard]] std::span<const OptionSpec> options_in(Family family) const {
        const bool all = family == Family::Ipv6 || ipv4_options == kAllOptions;
        return all ? options : options.first(ipv4_options);
    }
    // Its protocol has to be that of the rule.
    [[nodiscard]] bool is_bound_in(Family family) const {
        return protocol != 0 && needs_protocol.has(family);
    }
};

struct TargetModule {
    std::string_view name;
    FamilySupport families;
    std::span<const OptionSpec> options;
    std::shared_ptr<const Target> (*parse)(const Options& options, RuleContext& context);
    std::uint8_t tables = kAllTables;
};

}  // namespace nsr::rules
