// Problem: what ipset(8) says when it cannot do something, and how it ends then.
#pragma once

#include <string>
#include <string_view>

namespace nsr::router {

inline constexpr std::string_view kIpsetName = "ipset v7.17";

struct IpsetProblem {
    std::string text;  // without the name of the tool
    // 1: it failed; 2: wrong usage, which is followed by a hint at the help
    int exit_code = 1;
};

// As it is printed, in whole lines.
std::string to_string(const IpsetProblem& problem);
// The same for a line of a restored text.
std::string to_string(const IpsetProblem& problem, std::size_t line);

}  // namespace nsr::router
