#include "core/rules/matches/memory/byte_rate.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

constexpr std::array<std::pair<std::string_view, std::uint64_t>, 3> kUnits = {
    {{"mb", std::uint64_t{1} << 20}, {"kb", std::uint64_t{1} << 10}, {"b", 1}}};

}  // namespace

std::uint32_t chunk_price(std::uint64_t bytes_per_second) {
    return static_cast<std::uint32_t>(0xffffffff / ((bytes_per_second >> kChunkShift) + 1));
}

std::uint64_t bytes_per_second(std::uint64_t price) {
    return (0xffffffff / price - 1) << kChunkShift;
}

std::uint64_t seconds_of(std::uint64_t bytes, std::uint64_t per_second) {
    return (bytes + per_second - 1) / per_second;
}

std::optional<std::uint64_t> bytes_of_unit(std::string_view unit) {
    const auto* row = std::find_if(kUnits.begin(), kUnits.end(),
                                   [&](const auto& known) { return known.first == unit; });
    return row == kUnits.end() ? std::nullopt : std::optional(row->second);
}

std::optional<std::uint64_t> parse_byte_rate(std::string_view text) {
    const std::size_t slash = std::min(text.find('/'), text.size());
    const std::string_view per = text.substr(std::min(slash + 1, text.size()));
    constexpr std::uint64_t kMostRate = std::uint64_t{1} << 36;  // what is beyond has no price
    const auto number = parse_leading_decimal(text.substr(0, slash), kMostRate);
    const auto unit = number ? bytes_of_unit(number->rest) : std::nullopt;
    if (!unit || per.empty() || !std::string_view("second").starts_with(per) ||
        number->value > kMostRate / *unit) {
        return std::nullopt;
    }
    return number->value * *unit;
}

std::string bytes_text(std::uint64_t bytes, const std::function<bool(std::uint64_t)>& is_it) {
    for (const auto& [unit, size] : kUnits) {
        if (bytes >= size && is_it(bytes / size * size)) {
            return std::to_string(bytes / size) + std::string(unit);
        }
    }
    return std::to_string(bytes) + "b";
}

std::string byte_rate_text(std::uint64_t price) {
    return bytes_text(bytes_per_second(price), [&](std::uint64_t rounded) {
        return rounded <= kMaxBytes && chunk_price(rounded) == price;
    });
}

}  // namespace nsr::rules
