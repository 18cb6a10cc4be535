// Rates of bytes as hashlimit reads and writes them: "512kb/s". What iptables keeps is the price of
// a chunk of 16 bytes, 2^32 being a second's worth, so that a rate comes back rounded. kernel:
// libxt_hashlimit.c of iptables
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace nsr::rules {

inline constexpr unsigned kChunkShift = 4;              // kernel: XT_HASHLIMIT_BYTE_SHIFT
inline constexpr std::uint64_t kMaxBytes = 0xffffffff;  // of a burst, in iptables' arithmetic

// kernel: bytes_to_cost, cost_to_bytes. Precondition: price > 0.
std::uint32_t chunk_price(std::uint64_t bytes_per_second);
std::uint64_t bytes_per_second(std::uint64_t price);
// How many seconds' worth, rounded up.
std::uint64_t seconds_of(std::uint64_t bytes, std::uint64_t per_second);

// Of "b", "kb" or "mb"; nullopt of anything else.
std::optional<std::uint64_t> bytes_of_unit(std::string_view unit);
// "512kb/s" or "512kb/sec", the number in decimal digits.
std::optional<std::uint64_t> parse_byte_rate(std::string_view text);

// In the largest unit in which `is_it(rounded)` holds. kernel: print_bytes, which rounds, too
std::string bytes_text(std::uint64_t bytes, const std::function<bool(std::uint64_t)>& is_it);
// "512kb"
std::string byte_rate_text(std::uint64_t price);

}  // namespace nsr::rules
