// [[rule]]: which packets ask which table, with the words of `ip rule`.
//
// A rule without a priority keeps its place in the file: the last one comes just before the main
// table.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "router/config/sections.hpp"
#include "router/tools/ip/rule_words.hpp"
#include "router/tools/ip/values.hpp"

namespace nsr::router {
namespace {

using routing::PolicyRule;
using routing::RuleQuery;

constexpr const char* kSection = "[[rule]]";
constexpr std::array kValueKeys = {"from",  "to",       "fwmark",  "iif",
                                   "oif",   "tos",      "ipproto", "sport",
                                   "dport", "priority", "table",   "suppress_prefixlength",
                                   "goto"};

// One [[rule]] before its priority is settled.
struct Written {
    RuleQuery query;
    std::vector<Family> families;
    SourceLocation where;
};

Written read_rule(Section section, const Config& config);
void read_word(Section& section, const char* key, Written& written);
void read_action(Section& section, Written& written);
void read_families(Section& section, Written& written);
void check_interfaces(Section& section, const Config& config, const PolicyRule& rule);
void check_family(Section& section, Written& written);
void add_numbered(const std::vector<Written>& all, Family family, Config& config,
                  ConfigErrors& errors);
void check_all(const Config& config, ConfigErrors& errors);

}  // namespace

void read_policy_rules(Section& root, Config& config) {
    std::vector<Written> all;
    for (const TomlValue* table : root.tables("rule")) {
        all.push_back(read_rule(Section(table, kSection, root.errors()), config));
    }
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        add_numbered(all, family, config, root.errors());
    }
    check_all(config, root.errors());
}

namespace {

Written read_rule(Section section, const Config& config) {
    Written written;
    written.where = section.where();
    written.query.any_action = true;
    for (const char* key : kValueKeys) {
        read_word(section, key, written);
    }
    bool inverted = false;
    section.boolean("not", inverted);
    written.query.like.inverted = inverted;
    read_action(section, written);
    read_families(section, written);
    check_interfaces(section, config, written.query.like);
    check_family(section, written);
    section.finish();
    return written;
}

// A value is a string or a number, as it would be written behind the word.
void read_word(Section& section, const char* key, Written& written) {
    const TomlMember* member = section.take(key);
    if (member == nullptr) {
        return;
    }
    const TomlValue& value = member->value;
    if (value.kind != TomlKind::String && value.kind != TomlKind::Integer) {
        return section.wrong_type(*member, "a string or an integer");
    }
    std::string text = value.text;
    if (value.kind == TomlKind::Integer) {
        text = std::to_string(value.integer);
    }
    // Numbers of TOS are read as hexadecimal ones.
    const bool is_byte = value.integer >= 0 && value.integer <= 0xff;
    if (value.kind == TomlKind::Integer && key == std::string_view("tos") && is_byte) {
        text = hexadecimal(static_cast<std::uint32_t>(value.integer));
    }
    std::string wrong = set_rule_word(key, text, written.query);
    constexpr std::string_view kPrefix = "Error: ";
    if (wrong.starts_with(kPrefix)) {
        wrong.erase(0, kPrefix.size());
    }
    if (!wrong.empty()) {
        section.fail(value.where, std::string(key) + ": " + wrong);
    }
}

void read_action(Section& section, Written& written) {
    const std::vector<std::string> words = {"nop", "blackhole", "prohibit", "unreachable"};
    const bool leads = section.take("table") != nullptr || section.take("goto") != nullptr;
    const auto action = section.one_of("action", words);
    if (action) {
        set_rule_word(words[*action], "", written.query);
    }
    const bool twice = section.take("table") != nullptr && section.take("goto") != nullptr;
    if (twice || (leads && section.take("action") != nullptr)) {
        section.fail(section.where(), "[[rule]] takes one of table, goto and action");
    } else if (!leads && section.take("action") == nullptr) {
        section.fail(section.where(), "[[rule]] needs table = N, goto = N or action = \"...\"");
    }
}

void read_families(Section& section, Written& written) {
    const PolicyRule& rule = written.query.like;
    const auto given = section.one_of("family", {"ipv4", "ipv6"});
    const Prefix& told = rule.from.length != 0 ? rule.from : rule.to;
    if (given) {
        written.families = {*given == 0 ? Family::Ipv4 : Family::Ipv6};
    } else if (told.length != 0) {
        written.families = {told.address.family};
    } else {
        written.families = {Family::Ipv4, Family::Ipv6};
    }
}

void check_interfaces(Section& section, const Config& config, const PolicyRule& rule) {
    const std::pair<const char*, const std::string&> names[] = {{"iif", rule.in},
                                                                {"oif", rule.out}};
    for (const auto& [key, name] : names) {
        const bool known = name.empty() || name == "lo" || name == kHostInterface ||
                           config.find_interface(name) != nullptr;
        if (!known) {
            section.fail(
                section.where_of(key, section.where()),
                "unknown interface \"" + name + "\"" + suggestion(name, config.interface_names()));
        }
    }
}

void check_family(Section& section, Written& written) {
    for (const Family family : written.families) {
        RuleQuery query = written.query;
        query.like.family = family;
        const std::string wrong = finish_rule(query);
        if (!wrong.empty()) {
            return section.fail(section.where(), "[[rule]]: " + wrong.substr(wrong.find(' ') + 1));
        }
    }
}

void add_numbered(const std::vector<Written>& all, Family family, Config& config,
                  ConfigErrors& errors) {
    const auto is_for = [&](const Written& each) {
        const auto& families = each.families;
        return std::find(families.begin(), families.end(), family) != families.end();
    };
    auto left =
        static_cast<std::uint32_t>(std::count_if(all.begin(), all.end(), [&](const Written& each) {
            return is_for(each) && !each.query.priority;
        }));
    if (left >= routing::kMainPriority) {
        const std::string most = std::to_string(routing::kMainPriority - 1);
        errors.push_back({all.back().where, "there are " + std::to_string(left) +
                                                " [[rule]] without a priority; there is room for " +
                                                most + " before the main table"});
        return;
    }
    for (const Written& each : all) {
        if (!is_for(each)) {
            continue;
        }
        PolicyRule rule = each.query.like;
        rule.family = family;
        rule.priority = each.query.priority.value_or(routing::kMainPriority - left);
        left -= each.query.priority ? 0 : 1;
        config.policy_rules.push_back({rule, each.where});
    }
}

// Rules that differ in this are not the same.
auto rough_identity(const PolicyRule& rule) {
    return std::tuple(rule.family, rule.priority, rule.from.address, rule.to.address, rule.mark,
                      rule.in);
}

void check_all(const Config& config, ConfigErrors& errors) {
    const auto& all = config.policy_rules;
    std::set<std::pair<Family, std::uint32_t>> priorities;
    for (const auto& each : all) {
        priorities.emplace(each.rule.family, each.rule.priority);
    }
    std::multimap<decltype(rough_identity(PolicyRule{})), const PolicyRuleConfig*> seen;
    for (const PolicyRuleConfig& each : all) {
        const PolicyRule& rule = each.rule;
        const auto [first, last] = seen.equal_range(rough_identity(rule));
        const auto same = std::find_if(
            first, last, [&](const auto& known) { return known.second->rule == rule; });
        if (same != last) {
            errors.push_back({each.where, "the same rule is in line " +
                                              std::to_string(same->second->where.line) +
                                              " already"});
        } else {
            seen.emplace(rough_identity(rule), &each);
        }
        if (rule.action != routing::RuleAction::Goto) {
            continue;
        }
        const bool found = rule.target == routing::kMainPriority ||
                           rule.target == routing::kDefaultPriority ||
                           priorities.contains({rule.family, rule.target});
        if (!found || rule.target <= rule.priority) {
            errors.push_back({each.where, "goto must name the priority of a later rule, not " +
                                              std::to_string(rule.target)});
        }
    }
}

}  // namespace
}  // namespace nsr::router
