// The options of conntrack(8), one row each: how it is written, and what its value means.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "router/tools/conntrack/args.hpp"

namespace nsr::router {

enum class Takes : std::uint8_t { Nothing, Value, Maybe };

struct ConntrackOption {
    // What is wrong with the value; empty: nothing. The command is known already: what -m or -u
    // means depends on it.
    using Reader = std::string (*)(ConntrackArgs& args, const std::string& value);

    char short_name;                 // 0: none
    std::string_view long_names[3];  // the first is what it goes by
    Takes takes;
    Reader read;
};

// "-s", "--src", or an abbreviation that only one option has, as getopt_long(3) takes it; null:
// there is none.
const ConntrackOption* find_conntrack_option(std::string_view name);

// What was wrong, not all of it if that is long.
std::string shown(std::string_view text);

}  // namespace nsr::router
