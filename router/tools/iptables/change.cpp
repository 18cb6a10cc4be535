#include <functional>
#include <utility>

#include "core/rules/edit.hpp"
#include "core/rules/language/chain_name.hpp"
#include "core/rules/language/check.hpp"
#include "router/tools/iptables/command.hpp"
#include "router/tools/iptables/layout.hpp"
#include "router/tools/iptables/rule_of.hpp"

namespace nsr::router {
namespace {

using iptables::kAppend;
using rules::ChainAt;
using rules::Edited;
using rules::EditError;

// What the tool calls `error` when it comes of `command`.
std::string_view reason(EditError error, std::uint16_t command) {
    switch (error) {
        case EditError::NoChain:
            return "No chain/target/match by that name.";
        case EditError::NoSuchRule:
            return "Bad rule (does a matching rule exist in that chain?).";
        case EditError::IndexTooBig:
            switch (command) {
                case iptables::kInsert:
                    return "Index of insertion too big.";
                case iptables::kReplace:
                    return "Index of replacement too big.";
                case iptables::kDeleteNumber:
                    return "Index of deletion too big.";
                default:
                    return "Index of counter too big.";
            }
        case EditError::ChainExists:
            return command == iptables::kNewChain ? "Chain already exists." : "File exists.";
        case EditError::ChainNotEmpty:
            return "Directory not empty.";
        case EditError::ChainInUse:
            return "Too many links.";
        case EditError::BuiltIn:
            break;
        case EditError::NotBuiltIn:
            return "Bad built-in chain name.";
    }
    return kInvalidArgument;
}

// What no chain can be called.
bool is_verdict(std::string_view name) {
    return name == "ACCEPT" || name == "DROP" || name == "RETURN" || name == "QUEUE";
}

// One command on a ruleset that is thrown away if it is refused.
class Change {
  public:
    Change(const IptablesArgs& args, rules::TableId table, rules::Ruleset& ruleset)
        : args_(args), table_(table), ruleset_(ruleset) {}

    IptablesAnswer run();

  private:
    void run_command();
    void with_rule();
    void put(rules::Rule rule);
    void remove(const rules::Rule& rule);
    void each_chain(const char* doing, bool user_only,
                    const std::function<Edited(const ChainAt&)>& change);
    void rename();
    void set_policy();
    void judge();

    [[nodiscard]] ChainAt chain() const {
        return {args_.family, table_, std::string_view(*args_.chain)};
    }
    [[nodiscard]] std::uint16_t command() const {
        return static_cast<std::uint16_t>(args_.commands & ~iptables::kShows);
    }
    void note(const Edited& edited) {
        if (!edited) {
            refuse(reason(edited.error(), command()));
        }
    }
    void refuse(std::string_view message) {
        const IptablesAnswer refusal = rules_refuse(args_.family, message);
        answer_.errors = refusal.errors;
        answer_.code = refusal.code;
    }

    const IptablesArgs& args_;
    rules::TableId table_;
    rules::Ruleset& ruleset_;
    IptablesAnswer answer_;
};

IptablesAnswer Change::run() {
    ruleset_.load(args_.family, table_);
    run_command();
    if (answer_.code == 0) {
        judge();
    }
    return std::move(answer_);
}

void Change::run_command() {
    switch (command()) {
        case iptables::kDeleteNumber:
            return note(rules::delete_rule(ruleset_, chain(), args_.number));
        case iptables::kFlush:
            return each_chain("Flushing", false,
                              [&](const ChainAt& at) { return rules::flush_chain(ruleset_, at); });
        case iptables::kZero:
            return each_chain("Zeroing", false,
                              [&](const ChainAt& at) { return rules::zero_chain(ruleset_, at); });
        case iptables::kZeroNumber:
            return note(rules::zero_rule(ruleset_, chain(), args_.number));
        case iptables::kNewChain:
            return note(rules::add_chain(ruleset_, chain()));
        case iptables::kDeleteChain:
            return each_chain("Deleting", true,
                              [&](const ChainAt& at) { return rules::delete_chain(ruleset_, at); });
        case iptables::kRenameChain:
            return rename();
        case iptables::kSetPolicy:
            return set_policy();
        default:
            return with_rule();
    }
}

// -A, -I, -R, -D with a rule: one for each pair of addresses.
void Change::with_rule() {
    auto made = rules_of(args_, table_, ruleset_);
    if (!made) {
        answer_ = std::move(made.error());
        return;
    }
    if (args_.verbose) {
        for (const rules::Rule& rule : *made) {
            answer_.text += echo_of(rule, args_.family);
        }
    }
    for (rules::Rule& rule : *made) {
        if (args_.has(iptables::kDelete)) {
            remove(rule);
        } else {
            put(std::move(rule));
        }
    }
}

void Change::put(rules::Rule rule) {
    rule.counters = args_.counters.value_or(rules::RuleCounters{});
    switch (command()) {
        case kAppend:
            return note(rules::append_rule(ruleset_, chain(), std::move(rule)));
        case iptables::kInsert:
            return note(rules::insert_rule(ruleset_, chain(), args_.number, std::move(rule)));
        default:
            return note(rules::replace_rule(ruleset_, chain(), args_.number, std::move(rule)));
    }
}

void Change::remove(const rules::Rule& rule) {
    const auto position = rules::find_rule(ruleset_, chain(), rule);
    if (!position) {
        return note(EditError::NoSuchRule);
    }
    note(rules::delete_rule(ruleset_, chain(), *position));
}

// The chain that is named, or all of the table. The last complaint is the one that is told.
void Change::each_chain(const char* doing, bool user_only,
                        const std::function<Edited(const ChainAt&)>& change) {
    std::vector<std::string> names;
    if (args_.chain) {
        names.push_back(*args_.chain);
    } else {
        const rules::Table& table = std::as_const(ruleset_).table(args_.family, table_);
        for (const std::size_t i : listed_chains(table)) {
            if (!user_only || table.chains[i].policy == rules::Policy::None) {
                names.push_back(table.chains[i].name);
            }
        }
    }
    for (const std::string& name : names) {
        if (args_.verbose) {
            answer_.text += std::string(doing) + " chain `" + name + "'\n";
        }
        note(change({args_.family, table_, name}));
    }
}

void Change::rename() {
    const rules::Table& table = std::as_const(ruleset_).table(args_.family, table_);
    if (table.find(args_.name) == nullptr && table.find(*args_.chain) != nullptr) {
        if (const std::string problem = rules::declared_name_problem(args_.name);
            !problem.empty()) {
            refuse(is_verdict(args_.name) ? "File exists." : kInvalidArgument);
            answer_.cause = problem;
            return;
        }
    }
    note(rules::rename_chain(ruleset_, chain(), args_.name));
}

void Change::set_policy() {
    rules::Policy policy = rules::Policy::Accept;
    if (args_.name == "DROP") {
        policy = rules::Policy::Drop;
    }
    const rules::Chain* at = std::as_const(ruleset_).table(args_.family, table_).find(*args_.chain);
    const bool built_in = at != nullptr && at->policy != rules::Policy::None;
    if (built_in && args_.name != "DROP" && args_.name != "ACCEPT") {
        return refuse("Bad policy name. Run `dmesg' for more information.");
    }
    note(rules::set_policy(ruleset_, chain(), policy,
                           args_.counters.value_or(rules::RuleCounters{})));
}

// Loops, and matches and targets where they are not valid.
void Change::judge() {
    const ConfigErrors errors = rules::check(ruleset_, args_.family);
    if (errors.empty()) {
        return;
    }
    const bool loop = errors.front().message.find("would loop") != std::string::npos;
    refuse(loop ? "Too many levels of symbolic links." : kInvalidArgument);
    answer_.cause = errors.front().message;
}

}  // namespace

IptablesAnswer change_rules(const IptablesArgs& args, rules::Ruleset& ruleset) {
    const auto table = rules::parse_table(args.table);
    if (!table) {
        return no_table(args.family, args.table);
    }
    rules::Ruleset changed = ruleset;
    IptablesAnswer answer = Change(args, *table, changed).run();
    if (answer.code == 0) {
        ruleset = std::move(changed);
    }
    return answer;
}

}  // namespace nsr::router
