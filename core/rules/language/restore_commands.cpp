// Lines of an iptables-save text that are commands: those that iptables-save writes, and those that
// people write.
#include <algorithm>
#include <array>

#include "core/rules/language/chain_name.hpp"
#include "core/rules/language/restore_parser.hpp"
#include "core/rules/language/rule_parser.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

struct Command {
    char letter;
    std::string_view name;
    std::size_t least;  // words that have to stand behind it
    std::string_view needs;
};
constexpr std::array kCommands = std::to_array<Command>({
    {'A', "--append", 1, "a chain"},
    {'C', "--check", 1, "a chain"},
    {'D', "--delete", 1, "a chain"},
    {'E', "--rename-chain", 2, "the name of a chain and a new one"},
    {'F', "--flush", 0, ""},
    {'I', "--insert", 1, "a chain"},
    {'N', "--new-chain", 1, "a name"},
    {'P', "--policy", 2, "a chain and a policy"},
    {'R', "--replace", 2, "a chain and the number of a rule"},
    {'X', "--delete-chain", 0, ""},
    {'Z', "--zero", 0, ""},
});

const Command* find_command(const std::string& word) {
    const auto* found =
        std::find_if(kCommands.begin(), kCommands.end(), [&](const Command& command) {
            return word == std::string("-") + command.letter || word == command.name;
        });
    return found == kCommands.end() ? nullptr : found;
}

}  // namespace

void RestoreParser::run_command(std::vector<Word> words, const RuleCounters& counters) {
    const Command* command = find_command(words[0].text);
    if (command == nullptr) {
        error(words[0].column, in_quotes(words[0].text) +
                                   " is not something iptables-save writes;"
                                   " expected are -A, -I, -R, -D, -C, -N, -X, -E, -F, -Z, -P,"
                                   " :CHAIN and COMMIT");
        return;
    }
    if (words.size() <= command->least) {
        error(words[0].column, words[0].text + " needs " + std::string(command->needs));
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
            return set_policy(words[1], words[2].text, {});
        case 'N':
            return new_chain(words[1], false);
        case 'E':
            return rename(words);
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
void RestoreParser::put_rules(char letter, std::vector<Word> words, const RuleCounters& counters) {
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
    if (number == std::size_t{0} || !need_chain(chain)) {
        return;
    }
    // Where a rule is missing that was wrong, the numbers behind it are those of other rules.
    if (letter == 'I' && with_gaps_.contains(chain.text)) {
        number = std::min(number.value_or(1), table().find(chain.text)->rules.size() + 1);
    }
    words.erase(words.begin(), words.begin() + 2);
    for (Rule& rule : rules_of(chain, words)) {
        // -c in the rule counts as counters before it do.
        rule.counters = counters.packets == 0 && counters.bytes == 0 ? rule.counters : counters;
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

std::vector<Rule> RestoreParser::rules_of(const Word& chain_at, const std::vector<Word>& words) {
    const Table& now = table();
    const RuleRequest request{family_,
                              *id_,
                              chain_at.text,
                              now,
                              {std::string(file_), line_, chain_at.column},
                              ruleset_.tolerance,
                              names_};
    std::vector<Rule> rules = parse_rule_words(request, words, errors_);
    if (rules.empty()) {
        with_gaps_.insert(chain_at.text);
    }
    return rules;
}

// -D with a number or a rule, -C
void RestoreParser::delete_rules(char letter, std::vector<Word> words) {
    const Word chain = words[1];
    const Word number_at = words.size() > 2 ? words[2] : chain;
    const auto number = letter == 'D' ? take_number(words) : std::nullopt;
    if (number == std::size_t{0} || !need_chain(chain)) {
        return;
    }
    if (number) {
        if (!delete_rule(ruleset_, at(chain), *number)) {
            no_such_number(chain, number_at, *number, letter);
        }
        return;
    }
    words.erase(words.begin(), words.begin() + 2);
    for (const Rule& rule : rules_of(chain, words)) {
        const auto position = find_rule(ruleset_, at(chain), rule);
        if (!position) {
            refused(EditError::NoSuchRule, chain);
        } else if (letter == 'D') {
            static_cast<void>(delete_rule(ruleset_, at(chain), *position));
        }
    }
}

void RestoreParser::rename(const std::vector<Word>& words) {
    if (std::string problem = chain_name_problem(words[2].text); !problem.empty()) {
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
                    return zero_chain(ruleset_, at(chain));
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
    const char* doing = "delete";
    if (letter != 'D') {
        doing = letter == 'I' ? "insert before" : "replace";
    }
    error(number_at.column,
          "chain " + chain_at.text + " has no rule " + std::to_string(number) + " to " + doing);
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
