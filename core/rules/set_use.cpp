#include "core/rules/set_use.hpp"

#include "core/base/words.hpp"
#include "core/rules/match.hpp"
#include "core/rules/target.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

std::optional<SetUse> read_set_use(const GivenOption& given, const RuleContext& context) {
    if (given.value.empty() || given.value.size() > sets::kMaxNameBytes) {
        context.error(given, "setname " + in_quotes(given.value) + " must have 1 to " +
                                 std::to_string(sets::kMaxNameBytes) + " characters");
        return std::nullopt;
    }
    SetUse use{given.value, {}};
    for (const std::string_view direction : split(given.second, ',')) {
        const bool is_source = direction.starts_with("src");
        if (!is_source && !direction.starts_with("dst")) {
            context.error(given, in_quotes(given.second) +
                                     " is not a list of \"src\" and \"dst\" with commas between");
            return std::nullopt;
        }
        if (use.directions.count == sets::kMostDirections) {
            context.error(given, "more than " + std::to_string(sets::kMostDirections) +
                                     " of \"src\" and \"dst\"");
            return std::nullopt;
        }
        const unsigned source = is_source ? 1 : 0;
        use.directions.sources |= static_cast<std::uint8_t>(source << use.directions.count++);
    }
    return use;
}

std::string to_string(const SetUse& use) {
    std::string text = whole_word(use.name) + " ";
    for (unsigned i = 0; i < use.directions.count; ++i) {
        text += i == 0 ? "" : ",";
        text += use.directions.source(i) ? "src" : "dst";
    }
    return text;
}

sets::Seen seen_by_sets(const ActionParam& par) {
    const Meta& meta = par.packet.meta;
    return {par.packet, par.network.interface_name(meta.in), par.network.interface_name(meta.out),
            par.work_left};
}

namespace {

// Calls `look` with the name of every set in every rule.
template <class Look>
void each_set(const Ruleset& ruleset, Look look) {
    const auto look_at = [&](const Rule& rule, Family family) {
        for (const auto& match : rule.matches) {
            look(match->set_name(), family, rule);
        }
        const auto names =
            rule.target == nullptr ? std::vector<std::string_view>{} : rule.target->set_names();
        for (const std::string_view name : names) {
            look(name, family, rule);
        }
    };
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        for (std::size_t i = 0; i < kTableCount; ++i) {
            for (const Chain& chain : ruleset.table(family, static_cast<TableId>(i)).chains) {
                for (const Cow<RuleBlock>& block : chain.rules.blocks()) {
                    for (const RuleBlock::Row& row : block->rows) {
                        if (row.names_sets) {
                            look_at(*row.rule, family);
                        }
                    }
                }
            }
        }
    }
}

}  // namespace

sets::References set_references(const Ruleset& ruleset) {
    sets::References references;
    each_set(ruleset, [&](std::string_view name, Family, const Rule&) {
        if (!name.empty()) {
            ++references[std::string(name)];
        }
    });
    return references;
}

ConfigErrors check_sets(const Ruleset& ruleset, const sets::Catalogue& catalogue) {
    ConfigErrors errors;
    std::vector<std::string_view> names;
    for (const auto& [name, summary] : catalogue) {
        names.push_back(name);
    }
    each_set(ruleset, [&](std::string_view name, Family family, const Rule& rule) {
        if (name.empty()) {
            return;
        }
        const std::string text(name);
        const auto found = catalogue.find(name);
        if (found == catalogue.end()) {
            errors.push_back(
                {rule.where, "Set " + text + " doesn't exist" + did_you_mean(name, names)});
        } else if (const Family other = found->second.family;
                   other != Family::None && other != family) {
            errors.push_back({rule.where, "The protocol family of set " + text + " is " +
                                              (other == Family::Ipv4 ? "IPv4" : "IPv6") +
                                              ", which is not applicable"});
        }
    });
    return errors;
}

}  // namespace nsr::rules
