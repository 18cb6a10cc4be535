#include "core/rules/words/tos.hpp"

#include <array>

#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

struct TosName {
    std::string_view name;
    std::uint8_t value;
};
constexpr std::array kTosNames = std::to_array<TosName>({
    {"minimize-delay", 0x10},
    {"maximize-throughput", 0x08},
    {"maximize-reliability", 0x04},
    {"minimize-cost", 0x02},
    {"normal-service", 0x00},
});
constexpr std::uint8_t kNamedTosMask = 0x3f;

constexpr std::array kDscpClasses = std::to_array<TosName>({
    {"be", 0x00},   {"ef", 0x2e},   {"cs0", 0x00},  {"cs1", 0x08},  {"cs2", 0x10},  {"cs3", 0x18},
    {"cs4", 0x20},  {"cs5", 0x28},  {"cs6", 0x30},  {"cs7", 0x38},  {"af11", 0x0a}, {"af12", 0x0c},
    {"af13", 0x0e}, {"af21", 0x12}, {"af22", 0x14}, {"af23", 0x16}, {"af31", 0x1a}, {"af32", 0x1c},
    {"af33", 0x1e}, {"af41", 0x22}, {"af42", 0x24}, {"af43", 0x26},
});

}  // namespace

std::optional<TosMask> parse_tos(std::string_view text) {
    for (const TosName& row : kTosNames) {
        if (row.name == lower(text)) {
            return TosMask{row.value, kNamedTosMask};
        }
    }
    const std::size_t slash = text.find('/');
    const auto value = parse_number(text.substr(0, slash), 0xff);
    const auto mask = slash == std::string_view::npos ? std::optional<std::uint64_t>(0xff)
                                                      : parse_number(text.substr(slash + 1), 0xff);
    if (!value || !mask) {
        return std::nullopt;
    }
    return TosMask{static_cast<std::uint8_t>(*value), static_cast<std::uint8_t>(*mask)};
}

std::optional<std::uint8_t> parse_dscp_class(std::string_view text) {
    const std::string wanted = lower(text);
    for (const TosName& row : kDscpClasses) {
        if (row.name == wanted) {
            return row.value;
        }
    }
    return std::nullopt;
}

}  // namespace nsr::rules
