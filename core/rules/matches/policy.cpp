// -m policy: what IPsec did with a packet, or will do. There is no IPsec here: every packet has
// the policy "none".
// kernel: xt_policy.c
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/rules/matches/constant.hpp"
#include "core/rules/matches/matches.hpp"
#include "core/rules/recite.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

constexpr std::uint8_t kIpComp = 108;

constexpr std::array kPolicyOptions = std::to_array<OptionSpec>({
    {"dir"},
    {"pol"},
    {"strict", 0},
    {"reqid", 1, true, {}, true},
    {"spi", 1, true, {}, true},
    {"proto", 1, true, {}, true},
    {"mode", 1, true, {}, true},
    {"tunnel-src", 1, true, {}, true},
    {"tunnel-dst", 1, true, {}, true},
    {"next", 0, false, {}, true},
});
constexpr std::size_t kMostElements = 4;

std::optional<std::string> spi_text(std::string_view value, Family) {
    const auto spi = parse_number(value, 0xffffffff);
    return spi ? std::optional(hex(*spi)) : std::nullopt;
}

// Names as they stand in /etc/protocols, unlike those behind -p.
std::optional<std::string> ipsec_protocol(std::string_view value, Family) {
    using Row = std::pair<std::string_view, std::uint8_t>;
    constexpr std::array kNames = std::to_array<Row>({{"esp", proto::kEsp},
                                                      {"ah", proto::kAh},
                                                      {"ipcomp", kIpComp},
                                                      {"IPSEC-ESP", proto::kEsp},
                                                      {"IPSEC-AH", proto::kAh},
                                                      {"IPCOMP", kIpComp}});
    const auto number = parse_number(value, 0xff);
    const auto* row = std::find_if(kNames.begin(), kNames.end(), [&](const Row& known) {
        return known.first == value || number == known.second;
    });
    return row == kNames.end() ? std::nullopt : std::optional(protocol_text(row->second));
}

std::optional<std::string> mode(std::string_view value, Family) {
    const bool known = value == "transport" || value == "tunnel";
    return known ? std::optional(std::string(value)) : std::nullopt;
}

// In the order in which iptables-save writes what an element says.
constexpr std::array kElementForms = std::to_array<OptionForm>(
    {{"reqid", form::decimal<0, 0xffffffff>, "a number from 0 to 4294967295"},
     {"spi", spi_text, "a number from 0 to 4294967295"},
     {"proto", ipsec_protocol, "ah, esp or ipcomp"},
     {"mode", mode, "transport or tunnel"},
     {"tunnel-dst", form::address, "an address or prefix"},
     {"tunnel-src", form::address, "an address or prefix"}});

// `matters`: the policy is not "none", which has no elements.
bool check_element(const Options& element, const RuleContext& context, bool matters) {
    const GivenOption* of_mode = element.find("mode");
    const bool tunnel = of_mode != nullptr && (of_mode->value == "tunnel") != of_mode->inverted;
    for (const GivenOption& given : element.given) {
        if (element.find(given.name) != &given) {
            context.error(given, "--" + std::string(given.name) + " stands twice in one element");
            return false;
        }
        if (given.name.starts_with("tunnel") && !tunnel && matters) {
            context.error(given, "--" + std::string(given.name) + " needs --mode tunnel");
            return false;
        }
    }
    return true;
}

// What stands between --next and --next.
std::vector<Options> elements_of(const Options& options) {
    std::vector<Options> elements(1);
    for (const GivenOption& given : options.given) {
        if (given.name == "next") {
            elements.emplace_back();
        } else if (given.name != "dir" && given.name != "pol" && given.name != "strict") {
            elements.back().given.push_back(given);
        }
    }
    return elements;
}

// Its hosts may be names. Nothing after an error.
std::optional<Options> with_addresses(Options element, const RuleContext& context) {
    for (GivenOption& given : element.given) {
        if (!given.name.starts_with("tunnel")) {
            continue;
        }
        const auto address = parse_host_prefix(given.value, context.family, context.names);
        if (!address) {
            context.error(given, in_quotes(given.value) + " is not an address or prefix");
            return std::nullopt;
        }
        given.value = to_string(*address);
    }
    return element;
}

// Nothing after an error.
std::optional<std::string> elements_text(const Options& options, const RuleContext& context,
                                         bool matters) {
    const bool strict = options.has("strict");
    const std::vector<Options> elements = elements_of(options);
    if (elements.size() > kMostElements || (elements.size() > 1 && !strict)) {
        context.error("--next needs --strict, and a policy has at most " +
                      std::to_string(kMostElements) + " elements");
        return std::nullopt;
    }
    std::string text = strict ? "--strict" : "";
    for (const Options& element : elements) {
        if (strict && element.given.empty()) {
            context.error(
                "--strict needs --reqid, --spi, --proto, --mode, --tunnel-src or --tunnel-dst in"
                " every element");
            return std::nullopt;
        }
        const auto resolved = with_addresses(element, context);
        const auto said = resolved ? recite(*resolved, context, kElementForms) : std::nullopt;
        if (!said || !check_element(element, context, matters)) {
            return std::nullopt;
        }
        if (&element != elements.data()) {
            append(text, "--next");
        }
        if (!said->empty()) {
            append(text, *said);
        }
    }
    return text;
}

// kernel: policy_mt_check
constexpr std::uint8_t kIncoming = bit(Hook::Prerouting) | bit(Hook::Input) | bit(Hook::Forward);
constexpr std::uint8_t kOutgoing = bit(Hook::Forward) | bit(Hook::Output) | bit(Hook::Postrouting);

// kernel: policy_mt where neither a packet has a security path nor its route a transformation
std::shared_ptr<const Match> parse_policy(const Options& options, RuleContext& context) {
    const GivenOption* direction = options.find("dir");
    const GivenOption* policy = options.find("pol");
    if (direction == nullptr || (direction->value != "in" && direction->value != "out")) {
        context.error("match \"policy\" needs --dir in or --dir out");
        return nullptr;
    }
    const std::string kind = policy == nullptr ? "ipsec" : policy->value;
    if (kind != "none" && kind != "ipsec") {
        context.error(*policy, "--pol needs none or ipsec, not " + in_quotes(kind));
        return nullptr;
    }
    if (kind == "none" && options.has("strict")) {
        context.error("--strict needs --pol ipsec");
        return nullptr;
    }
    const auto elements = elements_text(options, context, kind == "ipsec");
    if (!elements) {
        return nullptr;
    }
    std::string text = "--dir " + direction->value + " --pol " + kind;
    if (kind == "ipsec" && !elements->empty()) {
        append(text, *elements);
    }
    return std::make_shared<ConstantMatch>(options.module, text, kind == "none",
                                           direction->value == "in" ? kIncoming : kOutgoing);
}

}  // namespace

const MatchModule kPolicyMatch = {"policy", kBothFamilies, kPolicyOptions, parse_policy};

}  // namespace nsr::rules
