// Names for values of TOS and DSCP, shared by the matches and the targets.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nsr::rules {

struct TosMask {
    std::uint8_t value = 0;
    std::uint8_t mask = 0xff;
};
// "0x10", "0x10/0x3f", or a name such as Minimize-Delay (whose mask is 0x3f).
std::optional<TosMask> parse_tos(std::string_view text);
// "AF21", "CS1", "EF", "BE"
std::optional<std::uint8_t> parse_dscp_class(std::string_view text);

}  // namespace nsr::rules
