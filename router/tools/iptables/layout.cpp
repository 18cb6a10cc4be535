#include "router/tools/iptables/layout.hpp"

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "core/rules/save.hpp"
#include "core/rules/target.hpp"
#include "core/rules/words/text.hpp"
#include "router/tools/iptables/extension_text.hpp"
#include "router/tools/iptables/names.hpp"
#include "router/tools/iptables/saved_rule.hpp"

namespace nsr::router {
namespace {

std::string padded(std::string text, std::size_t width) {
    text.resize(std::max(text.size(), width), ' ');
    return text + " ";
}

std::string right(const std::string& text, std::size_t width) {
    return std::string(width - std::min(width, text.size()), ' ') + text;
}

struct Rounded {
    std::uint64_t number;
    char unit;  // 0: as it is
};

// 100000 is 100K; each step rounds what the one before left. As in the tool, the largest numbers
// wrap.
Rounded rounded(std::uint64_t number) {
    constexpr std::uint64_t kHalf = 500;
    constexpr std::uint64_t kThousand = 1000;
    constexpr std::uint64_t kLargestExact = 99999;
    constexpr std::uint64_t kLargest = 9999;
    constexpr std::string_view kUnits = "KMGT";
    if (number <= kLargestExact) {
        return {number, 0};
    }
    std::size_t unit = 0;
    number = (number + kHalf) / kThousand;
    while (number > kLargest && unit + 1 < kUnits.size()) {
        number = (number + kHalf) / kThousand;
        ++unit;
    }
    return {number, kUnits[unit]};
}

// In a column, or in the running text of a heading.
std::string number_text(std::uint64_t number, bool exact, bool in_column) {
    if (exact) {
        return in_column ? right(std::to_string(number), 8) : std::to_string(number);
    }
    const Rounded shown = rounded(number);
    const std::string digits = std::to_string(shown.number);
    if (shown.unit == 0) {
        return in_column ? right(digits, 5) : digits;
    }
    return (in_column ? right(digits, 4) : digits) + shown.unit;
}

std::string mark(const std::optional<SavedField>& field) {
    return field && field->inverted ? "!" : " ";
}

std::string interface(const std::optional<SavedField>& field, bool numeric) {
    const std::string name = field ? field->value : (numeric ? "*" : "any");
    return (field && field->inverted ? "!" : "") + name;
}

// The mask of a single address is left out.
std::string address(const std::optional<SavedField>& field, const TableStyle& style) {
    const bool v6 = style.family == Family::Ipv6;
    if (!field && !style.numeric) {
        return "anywhere";
    }
    if (!field) {
        return v6 ? "::/0" : "0.0.0.0/0";
    }
    std::string text = field->value;
    const std::string_view whole = v6 ? "/128" : "/32";
    if (text.ends_with(whole)) {
        text.resize(text.size() - whole.size());
    }
    const std::size_t slash = std::min(text.find('/'), text.size());
    if (const std::string_view name = host_name(std::string_view(text).substr(0, slash));
        !style.numeric && !v6 && !name.empty()) {
        return std::string(name) + text.substr(slash);
    }
    return text;
}

std::string protocol(const std::optional<SavedField>& field, bool numeric) {
    if (!field) {
        return numeric ? "0" : "all";
    }
    const auto number = rules::parse_protocol(field->value);
    return numeric && number ? std::to_string(*number) : field->value;
}

// The echo knows by name those that the tool knows without /etc/protocols.
std::string protocol_in_echo(const std::optional<SavedField>& field) {
    constexpr std::array<std::uint8_t, 9> kNamed = {1, 6, 17, 50, 51, 58, 132, 135, 136};
    if (!field) {
        return "all";
    }
    const std::uint8_t number = rules::parse_protocol(field->value).value_or(0);
    return std::find(kNamed.begin(), kNamed.end(), number) != kNamed.end() ? field->value
                                                                           : std::to_string(number);
}

std::string options_column(const SavedRule& rule) {
    if (!rule.fragments) {
        return "-- ";
    }
    return rule.fragments->inverted ? "!f " : "-f ";
}

// NOTRACK is another spelling of CT.
std::string target_name(const SavedRule& rule) {
    return rule.target.name == "NOTRACK" ? "CT" : rule.target.name;
}

std::string extensions(const SavedRule& rule, const TextStyle& style) {
    std::string text = rule.is_goto ? "[goto] " : "";
    for (const SavedPart& match : rule.matches) {
        text += match_text(match, style);
    }
    // A jump has no text, whatever the name of the chain.
    return rule.jumps || rule.target.name.empty() ? text : text + target_text(rule.target, style);
}

}  // namespace

std::vector<std::size_t> listed_chains(const rules::Table& table) {
    std::vector<std::size_t> order(table.chains.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto rank = [&](std::size_t at) {
        const rules::Chain& chain = table.chains[at];
        const bool user = chain.policy == rules::Policy::None;
        return std::pair(user, user ? std::string_view(chain.name) : std::string_view());
    };
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return rank(a) < rank(b); });
    return order;
}

std::string chain_heading(const rules::Chain& chain, const rules::RuleCounters& policy,
                          std::size_t references, const TableStyle& style) {
    std::string text = "Chain " + chain.name;
    if (chain.policy == rules::Policy::None) {
        text += " (" + std::to_string(references) + " references)\n";
    } else {
        text += " (policy " + std::string(rules::name_of(chain.policy));
        if (style.counters) {
            text += " " + number_text(policy.packets, style.exact, false) + " packets, " +
                    number_text(policy.bytes, style.exact, false) + " bytes";
        }
        text += ")\n";
    }
    text += style.line_numbers ? padded("num", 4) : "";
    if (style.counters) {
        text +=
            right("pkts", style.exact ? 8 : 5) + " " + right("bytes", style.exact ? 10 : 5) + " ";
    }
    text += padded("target", 9) + " prot opt";
    if (style.counters) {
        text += " " + padded("in", 6) + padded("out", 6);
    }
    return text + " " + padded("source", 19) + " " + padded("destination", 19) + "\n";
}

std::string saved_row(const SavedRule& rule, const TableStyle& style) {
    std::string text = padded(target_name(rule), 9);
    text += mark(rule.protocol) + padded(protocol(rule.protocol, style.numeric), 4);
    text += options_column(rule);
    if (style.counters) {
        text += " " + padded(interface(rule.in, style.numeric), 6) +
                padded(interface(rule.out, style.numeric), 6);
    }
    text += mark(rule.source) + padded(address(rule.source, style), 19);
    text += mark(rule.destination) + padded(address(rule.destination, style), 19);
    return text + extensions(rule, {style.family, rule.protocol_number(), style.numeric}) + "\n";
}

std::string rule_row(std::size_t number, const rules::Rule& rule,
                     const rules::RuleCounters& counters, const TableStyle& style) {
    std::string text = style.line_numbers ? padded(std::to_string(number), 4) : "";
    if (style.counters) {
        text += number_text(counters.packets, style.exact, true) + " " +
                number_text(counters.bytes, style.exact, true) + " ";
    }
    return text + saved_row(saved_rule(rule), style);
}

std::string saved_echo(const SavedRule& rule, Family family) {
    const TableStyle style{.family = family, .numeric = true};
    std::string text = target_name(rule) + " " + mark(rule.protocol) +
                       protocol_in_echo(rule.protocol) + " opt " + options_column(rule);
    text += "in " + interface(rule.in, true) + " out " + interface(rule.out, true) + " ";
    text += mark(rule.source) + address(rule.source, style) + " ";
    text += mark(rule.destination) + "-> " + address(rule.destination, style) + "  ";
    return text + extensions(rule, {family, rule.protocol_number(), true}) + "\n";
}

std::string echo_of(const rules::Rule& rule, Family family) {
    return saved_echo(saved_rule(rule), family);
}

std::string rule_command(const rules::Chain& chain, const rules::Rule& rule,
                         const rules::RuleCounters* counters) {
    if (counters == nullptr) {
        return "-A " + rules::rule_text(chain.name, rule) + "\n";
    }
    rules::Rule without_target = rule;
    without_target.target = nullptr;
    const std::string text = rules::rule_text(chain.name, without_target);
    const std::string whole = rules::rule_text(chain.name, rule);
    return "-A " + text + " -c " + std::to_string(counters->packets) + " " +
           std::to_string(counters->bytes) + whole.substr(text.size()) + "\n";
}

}  // namespace nsr::router
