// -m mh: the types of mobility headers (RFC 6275).
// kernel: ip6t_mh.c
#include <algorithm>
#include <array>

#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kMhOptions = std::to_array<OptionSpec>({{"mh-type", 1, true}});
constexpr std::size_t kHeaderBytes = 6;
constexpr std::size_t kTypeOffset = 2;
constexpr std::uint8_t kMostType = 255;

struct TypeName {
    std::string_view name;
    std::uint8_t type;
};
constexpr std::array kTypeNames = std::to_array<TypeName>({
    {"binding-refresh-request", 0},
    {"brr", 0},
    {"home-test-init", 1},
    {"hoti", 1},
    {"careof-test-init", 2},
    {"coti", 2},
    {"home-test", 3},
    {"hot", 3},
    {"careof-test", 4},
    {"cot", 4},
    {"binding-update", 5},
    {"bu", 5},
    {"binding-acknowledgement", 6},
    {"ba", 6},
    {"binding-error", 7},
    {"be", 7},
});

class MhMatch : public Match {
  public:
    MhMatch() : Match("mh") {}
    std::string save() const override;
    MatchResult test(ActionParam& par) const override;

    NumberRange types{0, kMostType};
    bool invert = false;
};

std::string MhMatch::save() const {
    if (types.low == 0 && types.high == kMostType && !invert) {
        return {};
    }
    return std::string(bang(invert)) + "--mh-type " + std::to_string(types.low) +
           (types.low == types.high ? "" : ":" + std::to_string(types.high));
}

// Nothing may follow a mobility header. kernel: mh_mt6
MatchResult MhMatch::test(ActionParam& par) const {
    const Packet& packet = par.packet;
    if (!packet.layout.has_l4_header()) {
        return MatchResult::No;
    }
    const auto header = packet.l4();
    if (header.size() < kHeaderBytes || header[0] != proto::kNoNext) {
        return MatchResult::HotDrop;
    }
    const std::uint8_t type = header[kTypeOffset];
    return yes_if((type >= types.low && type <= types.high) != invert);
}

// A name, the first that begins so, or a number. libip6t_mh.c: name_to_type
std::optional<std::uint64_t> parse_type(std::string_view word) {
    const std::string wanted = lower(word);
    const TypeName* found = nullptr;
    for (const TypeName& row : kTypeNames) {
        if (row.name.starts_with(wanted) && (found == nullptr || row.name == wanted)) {
            found = &row;
        }
    }
    return found != nullptr ? std::optional<std::uint64_t>(found->type)
                            : parse_number(word, kMostType);
}

std::optional<NumberRange> parse_types(std::string_view text) {
    const std::size_t colon = text.find(':');
    const std::string_view first = text.substr(0, colon);
    const std::string_view second =
        colon == std::string_view::npos ? first : text.substr(colon + 1);
    const bool open = colon != std::string_view::npos;
    const auto low = open && first.empty() ? std::optional<std::uint64_t>(0) : parse_type(first);
    const auto high =
        open && second.empty() ? std::optional<std::uint64_t>(kMostType) : parse_type(second);
    if (!low || !high || *low > *high) {
        return std::nullopt;
    }
    return NumberRange{*low, *high};
}

std::shared_ptr<const Match> parse_mh(const Options& options, RuleContext& context) {
    auto match = std::make_shared<MhMatch>();
    if (const GivenOption* given = options.find("mh-type")) {
        const auto types = parse_types(given->value);
        if (!types) {
            context.error(*given,
                          "--mh-type needs a type from 0 to 255 or its name, or a range of"
                          " them such as 1:4, not " +
                              in_quotes(given->value));
            return nullptr;
        }
        match->types = *types;
        match->invert = given->inverted;
    }
    return match;
}

}  // namespace

const MatchModule kMhMatch = {"mh", kIpv6Only, kMhOptions, parse_mh, proto::kMobility};

}  // namespace nsr::rules
