#include "core/rules/matches/memory/byte_rate.hpp"

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

std::optional<std::uint64_t> parse_bytes(std::string_view text) {
    for (const auto& [unit, factor] : kUnits) {
        if (text.ends_with(unit)) {
            const auto number =
                parse_number(text.substr(0, text.size() - unit.size()), kMaxBytes / factor);
            return number ? std::optional(*number * factor) : std::nullopt;
        }
    }
    return std::nullopt;
}

std::optional<std::uint64_t> parse_byte_rate(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view per = text.substr(slash + 1);
    const bool second = !per.empty() && std::string_view("second").starts_with(per);
    return second ? parse_bytes(text.substr(0, slash)) : std::nullopt;
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
    return bytes_text(bytes_per_second(price),
                      [&](std::uint64_t rounded) { return chunk_price(rounded) == price; });
}

}  // namespace nsr::rules
