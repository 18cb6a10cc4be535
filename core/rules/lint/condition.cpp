#include "core/rules/lint/condition.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "core/rules/code.hpp"
#include "core/rules/match.hpp"

namespace nsr::rules::lint {

namespace {

struct FieldOption {
    std::string_view option;
    Field field;
};
constexpr std::array kFieldOptions = std::to_array<FieldOption>({
    {"-s", Field::Source},
    {"-d", Field::Destination},
    {"-i", Field::InInterface},
    {"-o", Field::OutInterface},
    {"-p", Field::Protocol},
    {"--sport", Field::SourcePort},
    {"--sports", Field::SourcePort},
    {"--dport", Field::DestinationPort},
    {"--dports", Field::DestinationPort},
    {"--state", Field::State},
    {"--ctstate", Field::State},
});

// Modules whose options are conditions of their own, each read by itself.
constexpr std::array<std::string_view, 11> kReadable = {"",          "tcp",   "udp",      "udplite",
                                                        "sctp",      "dccp",  "icmp",     "icmp6",
                                                        "multiport", "state", "conntrack"};
// Those that look for a transport header before anything else.
constexpr std::array<std::string_view, 8> kOfHeaders = {"tcp",  "udp",  "udplite", "sctp",
                                                        "dccp", "icmp", "icmp6",   "multiport"};
// Others that answer the same as long as the packet is in a chain.
constexpr std::array<std::string_view, 13> kSteady = {
    "iprange", "addrtype", "length",     "pkttype", "esp", "ah",    "frag",
    "rt",      "hbh",      "ipv6header", "dst",     "mh",  "policy"};

bool is_among(std::string_view name, const auto& names) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// The options that a readable match saves: `! --sport 1:2 --tcp-flags SYN,ACK SYN`.
class OptionWalk {
  public:
    explicit OptionWalk(std::string_view text) : words_(split(text, ' ')) {}

    bool next() {
        if (at_ == words_.size() || words_[at_].empty()) {
            return false;
        }
        inverted = words_[at_] == "!";
        at_ += inverted ? 1 : 0;
        option = at_ < words_.size() ? words_[at_++] : std::string_view();
        value.clear();
        while (at_ < words_.size() && words_[at_] != "!" && !words_[at_].starts_with('-')) {
            append(value, words_[at_++]);
        }
        return true;
    }

    bool inverted = false;
    std::string_view option;
    std::string value;

  private:
    std::vector<std::string_view> words_;
    std::size_t at_ = 0;
};

std::uint32_t states_of(std::string_view list) {
    std::uint32_t bits = 0;
    for (const std::string_view word : split(list, ',')) {
        for (const ctstate::Name& row : ctstate::kNames) {
            bits |= row.name == word ? row.bits : 0;
        }
    }
    return bits;
}

// The value of a condition as its field has it; false: it is not read.
bool read_value(Condition& condition) {
    switch (condition.field) {
        case Field::Source:
        case Field::Destination: {
            const bool v6 = condition.text.find(':') != std::string::npos;
            const auto address =
                parse_masked_address(condition.text, v6 ? Family::Ipv6 : Family::Ipv4);
            condition.address = address.value_or(MaskedAddress{});
            return address.has_value();
        }
        case Field::SourcePort:
        case Field::DestinationPort:
            for (const std::string_view part : split(condition.text, ',')) {
                const auto range = parse_resolved_port_range(part);
                condition.ports.push_back(range.value_or(PortRange{}));
                if (!range) {
                    return false;
                }
            }
            return true;
        case Field::State:
            condition.states = states_of(condition.text);
            return condition.states != 0;
        default:
            return true;
    }
}

Condition condition_of(std::string_view module, const OptionWalk& walk) {
    const auto* row =
        std::find_if(kFieldOptions.begin(), kFieldOptions.end(),
                     [&](const FieldOption& each) { return each.option == walk.option; });
    Condition condition{.inverted = walk.inverted, .text = walk.value};
    if (row != kFieldOptions.end()) {
        condition.field = row->field;
        if (read_value(condition)) {
            return condition;
        }
    }
    condition.field = Field::Other;
    condition.text = std::string(module) + " " + std::string(walk.option) + " " + walk.value;
    return condition;
}

void read_match(const Match& match, Conditions& conditions) {
    const std::string_view module = match.module();
    const std::string text = match.save();
    if (module == "comment") {
        return;
    }
    if (!is_among(module, kReadable)) {
        conditions.push_back(
            {.steady = is_among(module, kSteady), .text = std::string(module) + " " + text});
        return;
    }
    if (is_among(module, kOfHeaders)) {
        conditions.push_back(
            {.field = Field::Header, .text = std::string(module == "multiport" ? "" : module)});
    }
    for (OptionWalk walk(text); walk.next();) {
        conditions.push_back(condition_of(module, walk));
    }
}

bool is_within(const MaskedAddress& inner, const MaskedAddress& outer) {
    return (inner.address & outer.mask) == outer.address && (inner.mask & outer.mask) == outer.mask;
}

bool addresses_imply(const Condition& narrow, const Condition& wide) {
    if (narrow.address.address.family != wide.address.address.family) {
        return false;
    }
    if (narrow.inverted && wide.inverted) {
        return is_within(wide.address, narrow.address);
    }
    if (!narrow.inverted && !wide.inverted) {
        return is_within(narrow.address, wide.address);
    }
    // What lies in one network is outside of another if they have nothing in common.
    const IpAddress both = narrow.address.mask & wide.address.mask;
    return wide.inverted && !((narrow.address.address & both) == (wide.address.address & both));
}

bool interfaces_imply(const Condition& narrow, const Condition& wide) {
    if (narrow.inverted || wide.inverted) {
        return narrow.inverted == wide.inverted && narrow.text == wide.text;
    }
    const bool prefix = wide.text.ends_with('+');
    return narrow.text == wide.text ||
           (prefix && narrow.text.starts_with(wide.text.substr(0, wide.text.size() - 1)));
}

bool ports_imply(const Condition& narrow, const Condition& wide) {
    if (narrow.inverted || wide.inverted) {
        return narrow.inverted == wide.inverted && narrow.text == wide.text;
    }
    return std::all_of(narrow.ports.begin(), narrow.ports.end(), [&](const PortRange& inner) {
        return std::any_of(wide.ports.begin(), wide.ports.end(), [&](const PortRange& outer) {
            return inner.low >= outer.low && inner.high <= outer.high;
        });
    });
}

bool states_imply(const Condition& narrow, const Condition& wide) {
    if (narrow.inverted != wide.inverted) {
        return false;
    }
    const std::uint32_t inner = narrow.inverted ? wide.states : narrow.states;
    const std::uint32_t outer = narrow.inverted ? narrow.states : wide.states;
    return (inner & ~outer) == 0;
}

}  // namespace

Conditions conditions_of(const Rule& rule) {
    Conditions conditions;
    for (const auto& match : rule.matches) {
        read_match(*match, conditions);
    }
    return conditions;
}

bool implies(const Condition& narrow, const Condition& wide) {
    if (narrow.field != wide.field) {
        return false;
    }
    switch (wide.field) {
        case Field::Source:
        case Field::Destination:
            return addresses_imply(narrow, wide);
        case Field::InInterface:
        case Field::OutInterface:
            return interfaces_imply(narrow, wide);
        case Field::SourcePort:
        case Field::DestinationPort:
            return ports_imply(narrow, wide);
        case Field::State:
            return states_imply(narrow, wide);
        case Field::Protocol:
            return wide.inverted && !narrow.inverted
                       ? narrow.text != wide.text
                       : narrow.inverted == wide.inverted && narrow.text == wide.text;
        case Field::Header:
            return wide.text.empty() || narrow.text == wide.text;
        case Field::Other:
            break;
    }
    return narrow.inverted == wide.inverted && narrow.text == wide.text;
}

bool covers(const Conditions& wide, const Conditions& narrow) {
    return std::all_of(wide.begin(), wide.end(), [&](const Condition& asked) {
        return asked.steady &&
               std::any_of(narrow.begin(), narrow.end(),
                           [&](const Condition& known) { return implies(known, asked); });
    });
}

namespace {

// None of the ranges holds a port, or one holds all of them and stands behind "!".
bool no_port_fits(const Condition& condition) {
    const std::vector<PortRange>& ports = condition.ports;
    if (condition.inverted) {
        return std::any_of(ports.begin(), ports.end(), [](const PortRange& range) {
            return range.low == 0 && range.high == 65535;
        });
    }
    return std::all_of(ports.begin(), ports.end(),
                       [](const PortRange& range) { return range.low > range.high; });
}

}  // namespace

bool is_impossible(const Condition& condition) {
    switch (condition.field) {
        case Field::Source:
        case Field::Destination:
            return condition.inverted && condition.address.mask.is_unspecified();
        case Field::InInterface:
        case Field::OutInterface:
            return condition.inverted && condition.text == "+";
        case Field::SourcePort:
        case Field::DestinationPort:
            return no_port_fits(condition);
        default:
            return false;
    }
}

const Condition* find(const Conditions& conditions, Field field) {
    const auto found =
        std::find_if(conditions.begin(), conditions.end(),
                     [&](const Condition& condition) { return condition.field == field; });
    return found == conditions.end() ? nullptr : &*found;
}

bool interfaces_meet(std::string_view one, std::string_view other) {
    const auto stem = [](std::string_view name) {
        return name.ends_with('+') ? name.substr(0, name.size() - 1) : name;
    };
    const bool one_is_prefix = one.ends_with('+');
    const bool other_is_prefix = other.ends_with('+');
    return one == other || (one_is_prefix && stem(other).starts_with(stem(one))) ||
           (other_is_prefix && stem(one).starts_with(stem(other)));
}

}  // namespace nsr::rules::lint
