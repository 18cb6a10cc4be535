// Numbers of text that people write: digits that everybody reads alike.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace nsr {

// The number that `text` begins with, which is taken off it. Nothing if there is none, if it is too
// large, and if zeros stand before it, which one reader overlooks and another takes for octal.
std::optional<std::uint64_t> take_number(std::string_view& text);
// The same where nothing else may be in `text`.
std::optional<std::uint64_t> plain_number(std::string_view text);

}  // namespace nsr
