#include "router/tools/iptables/rule_of.hpp"

#include <algorithm>

#include "core/rules/language/rule_parser.hpp"
#include "core/rules/matches/matches.hpp"
#include "core/rules/targets/targets.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::router {
namespace {

bool is_verdict(std::string_view name) {
    return name == "ACCEPT" || name == "DROP" || name == "RETURN";
}

// What the tool itself refuses once it knows the table. Empty: nothing.
std::string wrong_in_table(const IptablesArgs& args, const rules::Table& table) {
    const std::string& chain = *args.chain;
    if (args.out_given && (chain == "PREROUTING" || chain == "INPUT")) {
        return "Can't use -o with " + chain + "\n";
    }
    if (args.in_given && (chain == "POSTROUTING" || chain == "OUTPUT")) {
        return "Can't use -i with " + chain + "\n";
    }
    if (args.jump.empty() || table.find(args.jump) != nullptr) {
        return {};
    }
    if (args.is_goto) {
        return "goto '" + args.jump + "' is not a chain";
    }
    const rules::TargetModule* target = rules::find_target(args.jump);
    if (!is_verdict(args.jump) && (target == nullptr || !target->families.has(args.family))) {
        return "Couldn't load target `" + args.jump + "':No such file or directory\n";
    }
    return {};
}

// -p is the only protocol that `match` may stand behind, and the rule has another or none.
bool lacks_protocol(const IptablesArgs& args) {
    std::uint8_t protocol = 0;
    bool inverted = false;
    for (std::size_t i = 0; i + 1 < args.rule.size(); ++i) {
        if (args.rule[i].text == "-p" && !args.rule[i].quoted) {
            protocol = rules::parse_protocol(args.rule[i + 1].text).value_or(0);
            inverted = i > 0 && args.rule[i - 1].text == "!" && !args.rule[i - 1].quoted;
        }
    }
    for (std::size_t i = 0; i + 1 < args.rule.size(); ++i) {
        if (args.rule[i].text != "-m" || args.rule[i].quoted) {
            continue;
        }
        const rules::MatchModule* match = rules::find_match(args.rule[i + 1].text);
        if (match != nullptr && match->protocol != 0 && (match->protocol != protocol || inverted)) {
            return true;
        }
    }
    return false;
}

// What the kernel refuses of single rules, whatever their options say.
bool kernel_refuses(const IptablesArgs& args, rules::TableId id, const rules::Table& table) {
    const rules::Chain* jump = args.jump.empty() ? nullptr : table.find(args.jump);
    if (jump != nullptr) {
        return jump->policy != rules::Policy::None || lacks_protocol(args);
    }
    const rules::TargetModule* target = rules::find_target(args.jump);
    return lacks_protocol(args) || (target != nullptr && (target->tables & rules::bit(id)) == 0);
}

}  // namespace

Result<std::vector<rules::Rule>, IptablesAnswer> rules_of(const IptablesArgs& args,
                                                          rules::TableId id,
                                                          const rules::Ruleset& ruleset) {
    const rules::Table& table = ruleset.table(args.family, id);
    if (const std::string wrong = wrong_in_table(args, table); !wrong.empty()) {
        return wrong_words(args.family, wrong);
    }
    ConfigErrors errors;
    const rules::RuleRequest request{
        args.family,       id,        *args.chain, table, {std::string(kByCommand), 0, 0},
        ruleset.tolerance, args.names};
    std::vector<rules::Rule> made = rules::parse_rule_words(request, args.rule, errors);
    if (errors.empty()) {
        return made;
    }
    if (kernel_refuses(args, id, table)) {
        const bool no_chain = table.find(*args.chain) == nullptr;
        IptablesAnswer refusal = rules_refuse(
            args.family, no_chain ? "No chain/target/match by that name." : kInvalidArgument);
        refusal.cause = errors.front().message;
        return refusal;
    }
    return wrong_words(args.family, errors.front().message + "\n");
}

}  // namespace nsr::router
