// Rates of `limit` and `hashlimit`, as iptables writes them: "5/sec", "3/hour".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nsr::rules {

// The time between two packets, in units of 1/scale seconds.
std::optional<std::uint64_t> parse_rate(std::string_view text, std::uint64_t scale);
std::string rate_text(std::uint64_t period, std::uint64_t scale);

}  // namespace nsr::rules
