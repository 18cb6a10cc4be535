// Lines of an iptables-save text that are commands: those that iptables-save writes, and those that
// people write.
#include <algorithm>
#include <array>
#include <utility>

#include "core/rules/language/chain_name.hpp"
#include "core/rules/language/restore_command.hpp"
#include "core/rules/language/restore_parser.hpp"
#include "core/rules/language/rule_parser.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

// xshared.c: commands_v_options
bool takes_counters(char letter) {
    return letter == 'A' || letter == 'I' || letter == 'R' || letter == 'P';
}

bool is_verbose(const Word& word) {
    return !word.quoted && (word.text == "-v" || word.text == "--verbose");
}

}  // namespace

void RestoreParser::run_command(std::vector<Word> words, const GivenCounters& counters) {
    const std::size_t given = words.size();
    bring_command_to_front(words);
    const bool attached = words.size() > given;
    const RestoreCommand* command = find_restore_command(words[0].text);
    if (command == nullptr) {
        error(words[0].column, in_quotes(words[0].text) +
                                   " is not something iptables-save writes;"
                                   " expected are -A, -I, -R, -D, -C, -N, -X, -E, -F, -Z, -P,"
                                   " :CHAIN and COMMIT");
        return;
    }
    if (command->most != kRuleFollows) {
        std::erase_if(words, is_verbose);
    }
    if (words.size() <= command->least) {
        error(words[0].column, words[0].text + " needs " + std::string(command->needs));
        return;
    }
    if (words.size() > command->most + 1 && command->letter != 'L') {
        const Word& extra = words[command->most + 1];
        error(extra.column, words[0].text + " takes no " + in_quotes(extra.text));
        return;
    }
    // An argument that may be missing is one only if it is not taken for a negation.
    if (command->least == 0 && !attached && words.size() > 1 && words[1].text.starts_with('!')) {
        error(words[1].column, words[0].text + " takes no " + in_quotes(words[1].text) +
                                   "; a chain that may be left out does not begin with \"!\"");
        return;
    }
    if (counters && !takes_counters(command->letter)) {
        error(words[0].column, words[0].text + " takes no counters");
        return;
    }
    switch (command->letter) {
        case 'A':
        case 'I':
        case 'R':
            return put_rules(command->letter, std::move(words), counters);
        case 'C':
        case 'D':
            return delete_rules(command->letter, std::move(words));
        case 'P':
            return change_policy(words, counters.value_or(RuleCounters{}));
        case 'N':
            return new_chain(words[1], chain_name_problem(words[1].text));
        case 'E':
            return rename(words);
        case 'L':
        case 'S':
            return look_at(words);
        case 'Z':
            return zero(std::move(words));
        default:
            return on_chains(command->letter, words);
    }
}

std::optional<std::size_t> RestoreParser::take_number(std::vector<Word>& words) {
    if (words.size() <= 2) {
        return std::nullopt;
    }
    const auto number = parse_number(words[2].text, 0xffffffff);
    if (!number || words[2].quoted) {
        return std::nullopt;
    }
    if (*number == 0) {
        error(words[2].column, "the rules of a chain are numbered from 1");
    }
    words.erase(words.begin() + 2);
    return static_cast<std::size_t>(*number);
}

// -A, -I, -R
void RestoreParser::put_rules(char letter, std::vector<Word> words, const GivenCounters& counters) {
    const Word chain = words[1];
    const Word number_at = words.size() > 2 ? words[2] : chain;
    std::optional<std::size_t> number;
    if (letter != 'A') {
        number = take_number(words);
    }
    if (letter == 'R' && !number) {
        error(number_at.column, words[0].text + " needs a chain and the number of a rule");
        return;
    }
    if (number == std::size_t{0} || is_for_other_family(chain, words) || !need_chain(chain)) {
        return;
    }
    // Where a rule is missing that was wrong, the numbers behind it are those of other rules.
    if (letter == 'I' && with_gaps_.contains(chain.text)) {
        number = std::min(number.value_or(1), table().find(chain.text)->rules.size() + 1);
    }
    words.erase(words.begin(), words.begin() + 2);
    std::vector<Rule> rules = rules_of(chain, words, counters);
    if (letter == 'R' && rules.size() > 1) {
        error(number_at.column,
              "-R puts one rule in the place of another, and this line stands for " +
                  std::to_string(rules.size()));
        return;
    }
    for (Rule& rule : rules) {
        const auto put = [&] {
            switch (letter) {
                case 'A':
                    return append_rule(ruleset_, at(chain), std::move(rule));
                case 'I':
                    return insert_rule(ruleset_, at(chain), number.value_or(1), std::move(rule));
                default:
                    return replace_rule(ruleset_, at(chain), *number, std::move(rule));
            }
        };
        if (!put()) {
            no_such_number(chain, number_at, number.value_or(1), letter);
        }
    }
}

std::vector<Rule> RestoreParser::rules_of(const Word& chain_at, const std::vector<Word>& words,
                                          const GivenCounters& counters, bool may_count) {
    const Table& now = table();
    const RuleRequest request{family_,
                              *id_,
                              chain_at.text,
                              now,
                              {std::string(file_), line_, chain_at.column},
                              ruleset_.tolerance,
                              names_,
                              counters,
                              may_count};
    const std::size_t before = errors_.size();
    std::vector<Rule> rules = parse_rule_words(request, words, errors_);
    if (errors_.size() != before) {
        with_gaps_.insert(chain_at.text);
    }
    return rules;
}

// A rule of a chain that is not there, and that -4 or -6 leaves to the other family.
bool RestoreParser::is_for_other_family(const Word& chain_at, const std::vector<Word>& words) {
    if (table().find(chain_at.text) != nullptr) {
        return false;
    }
    const ConfigErrors before = errors_;
    const bool ignored = rules_of(chain_at, {words.begin() + 2, words.end()}).empty() &&
                         errors_.size() == before.size();
    errors_ = before;
    return ignored;
}

// -D with a number or a rule, -C
void RestoreParser::delete_rules(char letter, std::vector<Word> words) {
    const Word chain = words[1];
    const Word number_at = words.size() > 2 ? words[2] : chain;
    const auto number = letter == 'D' ? take_number(words) : std::nullopt;
    if (number == std::size_t{0} || is_for_other_family(chain, words) || !need_chain(chain)) {
        return;
    }
    if (number && words.size() > 2) {
        error(words[2].column, "-D takes the number of a rule or a rule, not both");
        return;
    }
    if (number) {
        if (!delete_rule(ruleset_, at(chain), *number)) {
            no_such_number(chain, number_at, *number, letter);
        }
        return;
    }
    words.erase(words.begin(), words.begin() + 2);
    for (const Rule& rule : rules_of(chain, words, {}, false)) {
        const auto position = find_rule(ruleset_, at(chain), rule);
        if (!position) {
            refused(EditError::NoSuchRule, chain);
        } else if (letter == 'D') {
            static_cast<void>(delete_rule(ruleset_, at(chain), *position));
        }
    }
}

void RestoreParser::rename(const std::vector<Word>& words) {
    if (std::string problem = declared_name_problem(words[2].text); !problem.empty()) {
        error(words[2].column, std::move(problem));
        return;
    }
    if (!need_chain(words[1])) {
        return;
    }
    if (const Edited done = rename_chain(ruleset_, at(words[1]), words[2].text); !done) {
        const bool there = done.error() == EditError::ChainExists;
        error(words[there ? 2 : 1].column,
              there ? "there is a chain " + in_quotes(words[2].text) + " already"
                    : "the built-in chain " + words[1].text + " cannot have another name");
    }
}

// -L, -S: iptables-restore shows the rules to whoever is there; here it is nobody.
void RestoreParser::look_at(const std::vector<Word>& words) {
    if (words.size() > 1 && !words[1].text.starts_with('-')) {
        static_cast<void>(need_chain(words[1]));
    }
}

// -Z, of everything, a chain or a rule
void RestoreParser::zero(std::vector<Word> words) {
    const Word number_at = words.back();
    const auto number = take_number(words);
    if (!number) {
        if (words.size() > 2) {
            error(number_at.column, in_quotes(number_at.text) + " is not the number of a rule");
            return;
        }
        return on_chains('Z', words);
    }
    if (*number == 0 || !need_chain(words[1])) {
        return;
    }
    const RuleList& rules = table().find(words[1].text)->rules;
    if (*number > rules.size()) {
        no_such_number(words[1], number_at, *number, 'Z');
    } else if (is_older(rules[*number - 1])) {
        static_cast<void>(zero_rule(ruleset_, at(words[1]), *number));
    }
}

// What the text itself says that it counts from stays. libiptc: COUNTER_MAP_SET
Edited RestoreParser::zero_older(const Word& chain_at) {
    const Chain& chain = *table().find(chain_at.text);
    if (chain.policy != Policy::None && !counting_.contains(chain.name)) {
        static_cast<void>(rules::set_policy(ruleset_, at(chain_at), chain.policy));
    }
    const std::size_t count = table().find(chain_at.text)->rules.size();
    for (std::size_t position = 1; position <= count; ++position) {
        if (is_older(table().find(chain_at.text)->rules[position - 1])) {
            static_cast<void>(zero_rule(ruleset_, at(chain_at), position));
        }
    }
    return Done{};
}

void RestoreParser::change_policy(const std::vector<Word>& words, const RuleCounters& counters) {
    if (words[2].text == "DROP" && *id_ == TableId::Nat) {
        error(
            words[2].column,
            "the nat table is not for filtering, so -P cannot make DROP the policy of its chains");
        return;
    }
    set_policy(words[1], words[2].text, counters);
}

// -F, -X, -Z, of one chain or all
void RestoreParser::on_chains(char letter, const std::vector<Word>& words) {
    std::vector<Word> chains;
    if (words.size() > 1) {
        chains.push_back(words[1]);
    } else {
        for (const Chain& chain : table().chains) {
            if (letter != 'X' || chain.policy == Policy::None) {
                chains.push_back({chain.name, words[0].column, false});
            }
        }
    }
    for (const Word& chain : chains) {
        if (!need_chain(chain)) {
            continue;
        }
        const auto change = [&] {
            switch (letter) {
                case 'F':
                    return flush_chain(ruleset_, at(chain));
                case 'X':
                    return delete_chain(ruleset_, at(chain));
                default:
                    return zero_older(chain);
            }
        };
        if (const Edited done = change(); !done) {
            refused(done.error(), chain);
        }
    }
}

bool RestoreParser::need_chain(const Word& chain_at) {
    if (table().find(chain_at.text) != nullptr) {
        return true;
    }
    std::vector<std::string_view> names;
    for (const Chain& known : table().chains) {
        names.emplace_back(known.name);
    }
    error(chain_at.column, "no chain " + in_quotes(chain_at.text) + " in table " + table_name() +
                               did_you_mean(chain_at.text, names));
    return false;
}

// Not told of a chain that lacks a rule which was wrong: it may be that one.
void RestoreParser::no_such_number(const Word& chain_at, const Word& number_at, std::size_t number,
                                   char letter) {
    if (with_gaps_.contains(chain_at.text)) {
        return;
    }
    const std::array<std::pair<char, const char*>, 4> kDoing = {
        {{'D', "delete"}, {'I', "insert before"}, {'R', "replace"}, {'Z', "zero"}}};
    const auto* row = std::find_if(kDoing.begin(), kDoing.end(),
                                   [&](const auto& each) { return each.first == letter; });
    error(number_at.column, "chain " + chain_at.text + " has no rule " + std::to_string(number) +
                                " to " + row->second);
}

void RestoreParser::refused(EditError problem, const Word& where) {
    switch (problem) {
        case EditError::NoSuchRule:
            return error(where.column, "chain " + where.text + " has no such rule");
        case EditError::ChainNotEmpty:
            return error(where.column, "chain " + where.text + " is not empty");
        case EditError::ChainInUse:
            return error(where.column, "rules still jump to chain " + where.text);
        case EditError::BuiltIn:
            return error(where.column, "the built-in chain " + where.text + " cannot be deleted");
        case EditError::IndexTooBig:
        case EditError::NoChain:
        case EditError::ChainExists:
        case EditError::NotBuiltIn:
            return;  // told where it was tried
    }
}

}  // namespace nsr::rules
