#include "router/tools/iptables/rule_of.hpp"

#include <algorithm>

#include "core/rules/language/rule_parser.hpp"
#include "core/rules/targets/targets.hpp"

namespace nsr::router {
namespace {

bool jumps_to_verdict(std::string_view name) {
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
    if (!jumps_to_verdict(args.jump) && (target == nullptr || !target->families.has(args.family))) {
        return "Couldn't load target `" + args.jump + "':No such file or directory\n";
    }
    return {};
}

// The tool looks at all words before the kernel sees any.
bool kernel_refuses(const ConfigErrors& errors) {
    return std::all_of(errors.begin(), errors.end(),
                       [](const ConfigError& error) { return error.by_kernel; });
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
    if (kernel_refuses(errors)) {
        const bool no_chain = table.find(*args.chain) == nullptr;
        IptablesAnswer refusal = rules_refuse(
            args.family, no_chain ? "No chain/target/match by that name." : kInvalidArgument);
        refusal.cause = errors.front().message;
        return refusal;
    }
    return wrong_words(args.family, errors.front().message + "\n");
}

}  // namespace nsr::router
