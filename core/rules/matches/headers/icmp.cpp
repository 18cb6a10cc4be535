// -m icmp and -m icmp6: message types by number or name.
// kernel: icmp_match in ip_tables.c, icmp6_match in ip6_tables.c
#include <algorithm>
#include <array>
#include <optional>

#include "core/rules/code.hpp"
#include "core/rules/matches/headers/headers.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

struct TypeName {
    std::string_view name;
    std::uint8_t type;
    std::uint8_t low = 0;
    std::uint8_t high = 255;
};

constexpr std::uint8_t kAnyType = 0xff;

constexpr std::array kNames4 = std::to_array<TypeName>({
    {"any", kAnyType},
    {"echo-reply", 0},
    {"pong", 0},
    {"destination-unreachable", 3},
    {"network-unreachable", 3, 0, 0},
    {"host-unreachable", 3, 1, 1},
    {"protocol-unreachable", 3, 2, 2},
    {"port-unreachable", 3, 3, 3},
    {"fragmentation-needed", 3, 4, 4},
    {"source-route-failed", 3, 5, 5},
    {"network-unknown", 3, 6, 6},
    {"host-unknown", 3, 7, 7},
    {"network-prohibited", 3, 9, 9},
    {"host-prohibited", 3, 10, 10},
    {"TOS-network-unreachable", 3, 11, 11},
    {"TOS-host-unreachable", 3, 12, 12},
    {"communication-prohibited", 3, 13, 13},
    {"host-precedence-violation", 3, 14, 14},
    {"precedence-cutoff", 3, 15, 15},
    {"source-quench", 4},
    {"redirect", 5},
    {"network-redirect", 5, 0, 0},
    {"host-redirect", 5, 1, 1},
    {"TOS-network-redirect", 5, 2, 2},
    {"TOS-host-redirect", 5, 3, 3},
    {"echo-request", 8},
    {"ping", 8},
    {"router-advertisement", 9},
    {"router-solicitation", 10},
    {"time-exceeded", 11},
    {"ttl-exceeded", 11},
    {"ttl-zero-during-transit", 11, 0, 0},
    {"ttl-zero-during-reassembly", 11, 1, 1},
    {"parameter-problem", 12},
    {"ip-header-bad", 12, 0, 0},
    {"required-option-missing", 12, 1, 1},
    {"timestamp-request", 13},
    {"timestamp-reply", 14},
    {"address-mask-request", 17},
    {"address-mask-reply", 18},
});

constexpr std::array kNames6 = std::to_array<TypeName>({
    {"destination-unreachable", 1},
    {"no-route", 1, 0, 0},
    {"communication-prohibited", 1, 1, 1},
    {"beyond-scope", 1, 2, 2},
    {"address-unreachable", 1, 3, 3},
    {"port-unreachable", 1, 4, 4},
    {"failed-policy", 1, 5, 5},
    {"reject-route", 1, 6, 6},
    {"packet-too-big", 2},
    {"time-exceeded", 3},
    {"ttl-exceeded", 3},
    {"ttl-zero-during-transit", 3, 0, 0},
    {"ttl-zero-during-reassembly", 3, 1, 1},
    {"parameter-problem", 4},
    {"bad-header", 4, 0, 0},
    {"unknown-header-type", 4, 1, 1},
    {"unknown-option", 4, 2, 2},
    {"echo-request", 128},
    {"ping", 128},
    {"echo-reply", 129},
    {"pong", 129},
    {"router-solicitation", 133},
    {"router-advertisement", 134},
    {"neighbour-solicitation", 135},
    {"neighbor-solicitation", 135},
    {"neighbour-advertisement", 136},
    {"neighbor-advertisement", 136},
    {"redirect", 137},
});

constexpr std::array kIcmpOptions = std::to_array<OptionSpec>({{"icmp-type", 1, true}});
constexpr std::array kIcmp6Options = std::to_array<OptionSpec>({{"icmpv6-type", 1, true}});

class IcmpMatch : public Match {
  public:
    IcmpMatch(bool v6, const TypeName& type, bool invert)
        : Match(v6 ? "icmp6" : "icmp"), v6_(v6), type_(type), invert_(invert) {}
    std::string save() const override;
    void compile(Code& code) const override;

  private:
    bool v6_;
    TypeName type_;
    bool invert_;
};

std::string IcmpMatch::save() const {
    std::string text = std::string(invert_ ? "! " : "") + (v6_ ? "--icmpv6-type " : "--icmp-type ");
    if (!v6_ && type_.type == kAnyType) {
        return text + "any";
    }
    text += std::to_string(type_.type);
    // differs: saved-text-is-read-back; iptables-save writes the first code alone
    if (type_.low != 0 || type_.high != 255) {
        text += "/" + std::to_string(type_.low);
        text += type_.low == type_.high ? "" : ":" + std::to_string(type_.high);
    }
    return text;
}

void IcmpMatch::compile(Code& code) const {
    code.emit({.op = Op::TransportHeader, .low = wire::icmp::kHeaderBytes});
    code.emit({.op = Op::IcmpType,
               .invert = invert_,
               .low = type_.low,
               .high = type_.high,
               .value = type_.type,
               .mask = !v6_ && type_.type == kAnyType ? 1u : 0u});
}

// "8" or "8:9", of which the second number is in `high`, and what stands behind.
std::optional<LeadingNumber> leading_range(std::string_view text, std::uint64_t& high) {
    auto number = parse_leading_number(text, 255);
    if (!number) {
        return std::nullopt;
    }
    high = number->value;
    if (number->rest.starts_with(':')) {
        const auto second = parse_leading_number(number->rest.substr(1), 255);
        if (!second) {
            return std::nullopt;
        }
        high = second->value;
        number->rest = second->rest;
    }
    return number;
}

// "8", "8/0", "8/0:3". libxt_icmp: __parse_icmp
std::optional<TypeName> numeric_type(std::string_view text) {
    std::uint64_t high = 0;
    const auto type = leading_range(text, high);
    if (!type || high != type->value) {
        return std::nullopt;
    }
    TypeName result{"", static_cast<std::uint8_t>(type->value)};
    if (type->rest.empty()) {
        return result;
    }
    const auto code =
        type->rest[0] == '/' ? leading_range(type->rest.substr(1), high) : std::nullopt;
    if (!code || !code->rest.empty()) {
        return std::nullopt;
    }
    result.low = static_cast<std::uint8_t>(code->value);
    result.high = static_cast<std::uint8_t>(high);
    return result;
}

// Names may be abbreviated as long as they stay unambiguous.
std::optional<TypeName> named_type(std::string_view text, std::span<const TypeName> names) {
    const std::string wanted = lower(text);
    std::optional<TypeName> found;
    for (const TypeName& row : names) {
        const std::string name = lower(row.name);
        if (name == wanted) {
            return row;
        }
        if (name.starts_with(wanted)) {
            if (found) {
                return std::nullopt;
            }
            found = row;
        }
    }
    return found;
}

std::shared_ptr<const Match> parse_icmp(const Options& options, RuleContext& context) {
    const bool v6 = options.module == "icmp6";
    const std::string_view option = v6 ? "icmpv6-type" : "icmp-type";
    const GivenOption* given = options.find(option);
    if (given == nullptr) {
        context.error("match \"" + std::string(options.module) + "\" needs --" +
                      std::string(option));
        return nullptr;
    }
    const std::span<const TypeName> names =
        v6 ? std::span<const TypeName>(kNames6) : std::span<const TypeName>(kNames4);
    auto type = numeric_type(given->value);
    type = type ? type : named_type(given->value, names);
    if (!type) {
        std::vector<std::string_view> known;
        for (const TypeName& row : names) {
            known.push_back(row.name);
        }
        context.error(*given, "unknown ICMP type " + in_quotes(given->value) +
                                  did_you_mean(given->value, known));
        return nullptr;
    }
    return std::make_shared<IcmpMatch>(v6, *type, given->inverted);
}

}  // namespace

std::string_view icmp_type_name(Family family, std::string_view text) {
    if (text == "any") {
        return text;
    }
    const std::span<const TypeName> names = family == Family::Ipv6
                                                ? std::span<const TypeName>(kNames6)
                                                : std::span<const TypeName>(kNames4);
    const auto type = numeric_type(text);
    const auto found = std::find_if(names.begin(), names.end(), [&](const TypeName& row) {
        return type && row.type == type->type && row.low == type->low && row.high == type->high;
    });
    return found == names.end() ? std::string_view() : found->name;
}

const MatchModule kIcmpMatch = {"icmp", kIpv4Only, kIcmpOptions, parse_icmp, proto::kIcmp};
const MatchModule kIcmp6Match = {"icmp6", kIpv6Only, kIcmp6Options, parse_icmp, proto::kIcmpv6};

}  // namespace nsr::rules
