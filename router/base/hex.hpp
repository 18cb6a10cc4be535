// Bytes as people and files write them: two lower-case hexadecimal digits each, nothing between.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nsr::router {

std::string hex_of(std::span<const std::uint8_t> bytes);
std::string hex_of(std::string_view bytes);
// Nothing: an odd number of digits, or something else than digits. No digits are no bytes.
std::optional<std::vector<std::uint8_t>> bytes_in(std::string_view hex);

}  // namespace nsr::router
