#include "core/rules/matches/memory/rate.hpp"

#include <array>

#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

struct Unit {
    std::string_view name;
    std::string_view shown;
    std::uint64_t seconds;
};
constexpr std::array kUnits = std::to_array<Unit>(
    {{"day", "day", 86400}, {"hour", "hour", 3600}, {"minute", "min", 60}, {"second", "sec", 1}});

}  // namespace

std::optional<std::uint64_t> parse_rate(std::string_view text, std::uint64_t scale) {
    const std::size_t slash = text.find('/');
    std::uint64_t seconds = 1;
    if (slash != std::string_view::npos) {
        const std::string unit = lower(text.substr(slash + 1));
        seconds = 0;
        for (const Unit& row : kUnits) {
            if (!unit.empty() && row.name.starts_with(unit)) {
                seconds = row.seconds;
            }
        }
    }
    const auto count = parse_leading_decimal(text.substr(0, slash), scale * seconds);
    if (!count || !count->rest.empty() || count->value == 0 || seconds == 0) {
        return std::nullopt;
    }
    return scale * seconds / count->value;
}

// The greatest unit that shows the period without loss.
std::string rate_text(std::uint64_t period, std::uint64_t scale) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < kUnits.size(); ++i) {
        const std::uint64_t whole = scale * kUnits[i].seconds;
        if (period > whole || whole / period < whole % period) {
            break;
        }
        best = i;
    }
    return std::to_string(scale * kUnits[best].seconds / period) + "/" +
           std::string(kUnits[best].shown);
}

}  // namespace nsr::rules
