#include "core/rules/language/option_lookup.hpp"

#include <algorithm>
#include <array>

#include "core/base/words.hpp"
#include "core/rules/matches/matches.hpp"
#include "core/rules/targets/targets.hpp"

namespace nsr::rules {

namespace {

constexpr std::array kBuiltIns = std::to_array<OptionSpec>({
    {"protocol", 1, true},
    {"proto", 1, true, "protocol"},
    {"source", 1, true},
    {"src", 1, true, "source"},
    {"destination", 1, true},
    {"dst", 1, true, "destination"},
    {"in-interface", 1, true},
    {"out-interface", 1, true},
    {"jump", 1},
    {"goto", 1},
    {"match", 1},
    {"set-counters", 2},
    {"ipv4", 0},
    {"ipv6", 0},
    {"verbose", 0},
    {"table", 1},
    // of IPv4
    {"fragments", 0, true},
    {"fragment", 0, true, "fragments"},
});
constexpr std::size_t kOfIpv4 = 2;

// What iptables takes besides, so that abbreviations of it are none of the options above.
constexpr std::array<std::string_view, 21> kCommands = {
    "append",     "delete", "check",         "insert",       "replace",      "list",
    "list-rules", "flush",  "zero",          "new-chain",    "delete-chain", "rename-chain",
    "policy",     "wait",   "wait-interval", "line-numbers", "numeric",      "version",
    "modprobe",   "exact",  "help"};

struct ShortOption {
    char letter;
    std::string_view name;
};
constexpr std::array kShortOptions = std::to_array<ShortOption>({
    {'p', "protocol"},
    {'s', "source"},
    {'d', "destination"},
    {'i', "in-interface"},
    {'o', "out-interface"},
    {'f', "fragments"},
    {'j', "jump"},
    {'g', "goto"},
    {'m', "match"},
    {'c', "set-counters"},
    {'t', "table"},
    {'4', "ipv4"},
    {'6', "ipv6"},
    {'v', "verbose"},
});

bool begins_command(std::string_view name) {
    return std::any_of(kCommands.begin(), kCommands.end(),
                       [&](std::string_view command) { return command.starts_with(name); });
}

void add_owner(const OptionSpec* spec, std::string_view module, bool is_target,
               std::vector<OptionOwner>& owners) {
    if (spec != nullptr) {
        owners.push_back({std::string(module), is_target, spec->values != 0});
    }
}

}  // namespace

std::span<const OptionSpec> built_in_options() {
    return kBuiltIns;
}

std::span<const OptionSpec> built_in_options(Family family) {
    const std::span<const OptionSpec> all = kBuiltIns;
    return family == Family::Ipv6 ? all.first(all.size() - kOfIpv4) : all;
}

std::string_view built_in_name(char letter) {
    const auto* found = std::find_if(kShortOptions.begin(), kShortOptions.end(),
                                     [&](const ShortOption& row) { return row.letter == letter; });
    return found == kShortOptions.end() ? std::string_view() : found->name;
}

const OptionSpec* find_exact(std::span<const OptionSpec> specs, std::string_view name) {
    const auto found = std::find_if(specs.begin(), specs.end(),
                                    [&](const OptionSpec& spec) { return spec.name == name; });
    return found == specs.end() ? nullptr : &*found;
}

std::string_view meaning(const OptionSpec& spec) {
    return spec.alias.empty() ? spec.name : spec.alias;
}

const OptionSpec* find_prefix(std::span<const OptionSpec> specs, std::string_view name) {
    const OptionSpec* found = nullptr;
    for (const OptionSpec& spec : specs) {
        if (!spec.name.starts_with(name)) {
            continue;
        }
        if (found != nullptr && meaning(*found) != meaning(spec)) {
            return nullptr;
        }
        found = &spec;
    }
    return found;
}

const OptionSpec* find_option(std::span<const OptionSpec> specs, std::string_view name) {
    const OptionSpec* spec = find_exact(specs, name);
    return spec != nullptr ? spec : find_prefix(specs, name);
}

FoundOption look_up(std::span<const std::span<const OptionSpec>> tables, std::string_view name) {
    for (std::size_t i = 0; i < tables.size(); ++i) {
        if (const OptionSpec* spec = find_exact(tables[i], name)) {
            return {spec, i};
        }
    }
    FoundOption found{.several = begins_command(name)};
    for (std::size_t i = 0; i < tables.size(); ++i) {
        for (const OptionSpec& spec : tables[i]) {
            if (!spec.name.starts_with(name)) {
                continue;
            }
            if (found.spec == nullptr) {
                found.spec = &spec;
                found.table = i;
            } else if (tables[found.table].data() != tables[i].data() ||
                       meaning(*found.spec) != meaning(spec)) {
                found.several = true;
            }
        }
    }
    return found.several ? FoundOption{.several = true} : found;
}

void collect_names(std::span<const OptionSpec> specs, std::vector<std::string_view>& names) {
    for (const OptionSpec& spec : specs) {
        names.push_back(spec.name);
    }
}

std::vector<OptionOwner> owners_of_option(std::string_view name) {
    std::vector<OptionOwner> owners;
    if (const OptionSpec* spec = find_exact(kBuiltIns, name)) {
        owners.push_back({"", false, spec->values != 0});
        return owners;
    }
    for (const MatchModule* module : match_modules()) {
        add_owner(find_exact(module->options, name), module->name, false, owners);
    }
    for (const TargetModule* module : target_modules()) {
        add_owner(find_exact(module->options, name), module->name, true, owners);
    }
    return owners;
}

std::string owners_text(std::string_view option) {
    std::string text;
    for (const OptionOwner& owner : owners_of_option(option)) {
        const MatchModule* match = owner.is_target ? nullptr : find_match(owner.module);
        std::string flag = owner.is_target ? "-j " : "-m ";
        if (match != nullptr && match->protocol != 0) {
            flag = "-p ";
        }
        text += (text.empty() ? "" : " or ") + in_quotes(flag + owner.module);
    }
    return text;
}

std::string_view nearest_option_anywhere(std::string_view option) {
    std::vector<std::string_view> names;
    for (const MatchModule* module : match_modules()) {
        collect_names(module->options, names);
    }
    for (const TargetModule* module : target_modules()) {
        collect_names(module->options, names);
    }
    return nearest(option, names);
}

std::string unknown_option_text(std::string_view option,
                                const std::vector<std::span<const OptionSpec>>& tables) {
    const std::string shown = in_quotes("--" + std::string(option));
    if (const std::string owners = owners_text(option); !owners.empty()) {
        return "option " + shown + " needs " + owners + " in the same rule";
    }
    std::vector<std::string_view> known;
    for (const std::span<const OptionSpec> table : tables) {
        collect_names(table, known);
    }
    std::string_view near = nearest(option, known);
    near = near.empty() ? nearest_option_anywhere(option) : near;
    return "unknown option " + shown +
           (near.empty() ? "" : "; did you mean \"--" + std::string(near) + "\"?");
}

std::vector<std::string_view> match_names() {
    std::vector<std::string_view> names;
    for (const MatchModule* row : match_modules()) {
        names.push_back(row->name);
    }
    return names;
}

std::string tables_text(std::uint8_t tables) {
    std::string text;
    for (std::size_t i = 0; i < kTableCount; ++i) {
        if ((tables >> i & 1) != 0) {
            text += (text.empty() ? "" : " or ") + std::string(name_of(static_cast<TableId>(i)));
        }
    }
    return text;
}

}  // namespace nsr::rules
