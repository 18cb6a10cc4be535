#include "core/rules/targets/nat_behaviour.hpp"

#include <algorithm>
#include <optional>
#include <span>

#include "core/nat/deterministic.hpp"
#include "core/nat/port_allocator.hpp"
#include "core/rules/module.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

using nat::Behaviour;
using nat::PortChoice;
using nat::Range;

constexpr std::uint64_t kMostBlock = 32256;  // two of them fit behind port 1024
constexpr std::uint64_t kMostSessions = 65535;

// Where a name is among those that an option takes; nothing: an error was told.
std::optional<std::size_t> index_of_name(const GivenOption& given, const RuleContext& context,
                                         std::span<const std::string_view> names) {
    const auto found = std::find(names.begin(), names.end(), given.value);
    if (found == names.end()) {
        std::string known;
        for (const std::string_view name : names) {
            known += (known.empty() ? "" : ", ") + std::string(name);
        }
        context.error(given, in_quotes(given.value) + " is not one of " + known +
                                 did_you_mean(given.value, {names.begin(), names.end()}));
        return std::nullopt;
    }
    return static_cast<std::size_t>(found - names.begin());
}

bool read_number(const GivenOption& given, const RuleContext& context, std::uint64_t least,
                 std::uint64_t most, std::uint16_t& into) {
    const auto number = parse_number(given.value, most);
    if (!number || *number < least) {
        context.error(given, in_quotes(given.value) + " is not a number from " +
                                 std::to_string(least) + " to " + std::to_string(most));
        return false;
    }
    into = static_cast<std::uint16_t>(*number);
    return true;
}

bool read_profile(const GivenOption& given, const RuleContext& context, Behaviour& behaviour) {
    std::vector<std::string_view> names;
    for (const nat::Profile& profile : nat::profiles()) {
        names.push_back(profile.name);
    }
    const auto index = index_of_name(given, context, names);
    if (index) {
        behaviour = nat::profiles()[*index].behaviour;
    }
    return index.has_value();
}

template <class Enum>
bool read_name(const GivenOption& given, const RuleContext& context,
               std::span<const std::string_view> names, Enum& into) {
    const auto index = index_of_name(given, context, names);
    into = index ? static_cast<Enum>(*index) : into;
    return index.has_value();
}

bool read_inside(const GivenOption& given, const RuleContext& context, Behaviour& behaviour) {
    const auto prefix = parse_prefix(given.value);
    if (!prefix || prefix->address.is_v6() != context.v6()) {
        context.error(given, in_quotes(given.value) + " is not a prefix such as " +
                                 (context.v6() ? "fd00::/112" : "10.0.0.0/24"));
        return false;
    }
    if (prefix->address.bits() - prefix->length > nat::kMostHostBits) {
        context.error(given, in_quotes(given.value) + " has more than 2^" +
                                 std::to_string(nat::kMostHostBits) + " hosts");
        return false;
    }
    behaviour.inside = prefix->network();
    return true;
}

// Blocks that are computed need to know of which hosts, and have to be enough for all of them.
bool check_division(const Options& options, const RuleContext& context, const Range& range) {
    const bool computed = range.behaviour.ports == PortChoice::Deterministic;
    const GivenOption* inside = options.find("inside");
    if (computed != (inside != nullptr)) {
        context.error(computed ? "--port-allocation deterministic needs --inside PREFIX: the hosts "
                                 "that have ports"
                               : "--inside is for --port-allocation deterministic alone");
        return false;
    }
    if (!computed) {
        return true;
    }
    const nat::Division division = nat::divide(range);
    if (!division.suffices()) {
        context.error(*inside, in_quotes(inside->value) + " has " + std::to_string(division.hosts) +
                                   " hosts; " + std::to_string(division.addresses) + " address" +
                                   (division.addresses == 1 ? "" : "es") + " with " +
                                   std::to_string(division.blocks) + " blocks of " +
                                   std::to_string(division.block_ports) +
                                   " ports each are too few");
        return false;
    }
    return true;
}

// A block is one of PortChoice::Blocks, or how Deterministic divides the ports, and has to fit.
bool check_block(const Options& options, const RuleContext& context, const Range& range) {
    const GivenOption* block = options.find("port-block");
    const GivenOption* choice = options.find("port-allocation");
    const PortChoice ports = range.behaviour.ports;
    if (block != nullptr && choice != nullptr && ports != PortChoice::Blocks &&
        ports != PortChoice::Deterministic) {
        context.error(*block,
                      "--port-block is for --port-allocation blocks or deterministic, not " +
                          std::string(choice->value));
        return false;
    }
    const std::uint32_t there_are = nat::ports_of(range).size;
    if (ports != PortChoice::Blocks || range.behaviour.block_ports <= there_are) {
        return true;
    }
    const std::string wrong = "a block of " + std::to_string(range.behaviour.block_ports) +
                              " ports is more than the " + std::to_string(there_are) +
                              " that the rule has";
    block != nullptr ? context.error(*block, wrong) : context.error(wrong);
    return false;
}

bool read_one(const GivenOption& given, const RuleContext& context, Behaviour& behaviour) {
    if (given.name == "profile") {
        return read_profile(given, context, behaviour);
    }
    if (given.name == "mapping") {
        return read_name(given, context, nat::dependence_names(), behaviour.mapping);
    }
    if (given.name == "filtering") {
        return read_name(given, context, nat::dependence_names(), behaviour.filtering);
    }
    if (given.name == "hairpin") {
        return read_name(given, context, nat::hairpin_names(), behaviour.hairpin);
    }
    if (given.name == "port-allocation") {
        const bool read = read_name(given, context, nat::port_choice_names(), behaviour.ports);
        if (behaviour.ports == PortChoice::Deterministic) {
            behaviour.block_ports = 0;
        }
        return read;
    }
    if (given.name == "port-block") {
        return read_number(given, context, nat::kLeastBlock, kMostBlock, behaviour.block_ports);
    }
    if (given.name == "refresh") {
        return read_name(given, context, nat::refresh_names(), behaviour.refresh);
    }
    if (given.name == "icmp-errors") {
        return read_name(given, context, nat::icmp_error_names(), behaviour.icmp_errors);
    }
    if (given.name == "pooling") {
        return read_name(given, context, nat::pooling_names(), behaviour.pooling);
    }
    if (given.name == "inside") {
        return read_inside(given, context, behaviour);
    }
    if (given.name == "session-limit") {
        return read_number(given, context, 1, kMostSessions, behaviour.session_limit);
    }
    behaviour.no_udp = true;
    return true;
}

}  // namespace

bool read_behaviour(const Options& options, const RuleContext& context, nat::Range& range,
                    std::string& text) {
    for (const OptionSpec& option : kBehaviourOptions) {
        const GivenOption* given = options.find(option.name);
        if (given == nullptr) {
            continue;
        }
        if (!read_one(*given, context, range.behaviour)) {
            return false;
        }
        range.behaves = true;
        append(text, "--" + std::string(option.name));
        if (option.values != 0) {
            append(text, given->value);
        }
    }
    if (options.find("port-block") != nullptr && options.find("port-allocation") == nullptr) {
        range.behaviour.ports = PortChoice::Blocks;
    }
    return check_block(options, context, range) && check_division(options, context, range);
}

}  // namespace nsr::rules
