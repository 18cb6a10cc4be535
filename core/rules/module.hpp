// Modules: the kinds of match and target that rules may name. Each is a row: its name, its option
// table, and a function that makes a Match or Target from the options given in one rule. The rows
// are listed in matches/matches.cpp and targets/targets.cpp.
#pragma once

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
};

struct TargetModule {
    std::string_view name;
    FamilySupport families;
    std::span<const OptionSpec> options;
    std::shared_ptr<const Target> (*parse)(const Options& options, RuleContext& context);
    std::uint8_t tables = kAllTables;
};

}  // namespace nsr::rules
