#include "core/rules/language/parse.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/rules/language/chain_name.hpp"
#include "core/rules/language/check.hpp"
#include "core/rules/language/rule_parser.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

// "[packets:bytes]"
std::optional<RuleCounters> parse_counters(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (!text.starts_with('[') || !text.ends_with(']') || colon == std::string_view::npos) {
        return std::nullopt;
    }
    const auto packets = parse_number(text.substr(1, colon - 1));
    const auto bytes = parse_number(text.substr(colon + 1, text.size() - colon - 2));
    if (!packets || !bytes) {
        return std::nullopt;
    }
    return RuleCounters{*packets, *bytes};
}

// "-AFORWARD" is "-A" "FORWARD".
void take_apart(std::vector<Word>& words) {
    const std::string text = words[0].text;
    if (text.size() > 2 && text[0] == '-' && text[1] != '-') {
        words[0].text.resize(2);
        words.insert(words.begin() + 1, Word{text.substr(2), words[0].column + 2, false});
    }
}

class SaveParser {
  public:
    SaveParser(std::string_view file, Family family, Ruleset& ruleset, const HostNames& names)
        : file_(file), family_(family), ruleset_(ruleset), names_(names) {}

    ConfigErrors parse(std::string_view text);

  private:
    void parse_line(std::string_view line);
    void begin_table(std::string_view name);
    void declare_chain(const std::vector<Word>& words);
    void set_policy(const Word& chain_at, std::string_view policy, const RuleCounters& counters);
    void parse_command(std::vector<Word> words);
    void parse_append(std::vector<Word> words, std::optional<RuleCounters> counters);
    void append_rules(const Word& chain_at, const std::vector<Word>& words,
                      std::optional<RuleCounters> counters, std::size_t at);
    bool new_chain(const std::string& name, std::uint32_t column);
    Chain* need_chain(const std::string& name, std::uint32_t column);
    void error(std::uint32_t column, std::string message) {
        errors_.push_back({{std::string(file_), line_, column}, std::move(message)});
    }
    [[nodiscard]] std::string table_name() const { return std::string(name_of(*id_)); }
    Table& table() { return ruleset_.table(family_, *id_); }

    std::string_view file_;
    Family family_;
    Ruleset& ruleset_;
    const HostNames& names_;
    ConfigErrors errors_;
    std::uint32_t line_ = 0;
    std::optional<TableId> id_;  // the table we are in
    bool skipping_ = false;      // in a table whose name nobody knows
    std::uint32_t table_line_ = 0;
    std::set<std::string> with_gaps_;  // chains of this table that lack a rule, which was wrong
};

ConfigErrors SaveParser::parse(std::string_view text) {
    for (const std::string_view line : split(text, '\n')) {
        ++line_;
        parse_line(line);
    }
    if (id_ || skipping_) {
        line_ = table_line_;
        error(1, "the table that begins here has no COMMIT");
    }
    return std::move(errors_);
}

void SaveParser::parse_line(std::string_view line) {
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos || line[first] == '#') {
        return;
    }
    const auto words = split_words(line, Quoting::Restore);
    if (!words) {
        // The last one, since quotes pair up.
        error(static_cast<std::uint32_t>(line.rfind('"') + 1), "a quote is opened and not closed");
        return;
    }
    const std::string& head = words->front().text;
    if (head.starts_with('*')) {
        begin_table(std::string_view(head).substr(1));
    } else if (skipping_) {
        skipping_ = head != "COMMIT";
    } else if (!id_) {
        error(words->front().column, in_quotes(head) +
                                         " stands outside of a table; a line such as"
                                         " \"*filter\" was expected");
    } else if (head == "COMMIT") {
        id_.reset();
    } else if (head.starts_with(':')) {
        declare_chain(*words);
    } else {
        parse_command(*words);
    }
}

void SaveParser::begin_table(std::string_view name) {
    if (id_ || skipping_) {
        error(1, "COMMIT is missing before table " + in_quotes(name));
    }
    table_line_ = line_;
    id_ = parse_table(name);
    skipping_ = !id_;
    if (skipping_) {
        error(1, "unknown table " + in_quotes(name) +
                     did_you_mean(name, {"raw", "mangle", "nat", "filter", "security"}));
        return;
    }
    table() = Table{};
    with_gaps_.clear();
    ruleset_.load(family_, *id_);
}

// ":CHAIN POLICY [packets:bytes]"
void SaveParser::declare_chain(const std::vector<Word>& words) {
    const std::string name = words[0].text.substr(1);
    RuleCounters counters;
    if (words.size() > 2) {
        const auto parsed = parse_counters(words[2].text);
        if (!parsed) {
            error(words[2].column, in_quotes(words[2].text) + " is not [packets:bytes]");
        }
        counters = parsed.value_or(RuleCounters{});
    }
    if (words.size() < 2) {
        error(words[0].column,
              "chain " + in_quotes(name) + " needs a policy: ACCEPT, DROP, or - for a user chain");
    } else if (words[1].text == "-") {
        if (const Chain* known = table().find(name);
            known != nullptr && known->policy != Policy::None) {
            error(words[1].column, "built-in chain " + name + " needs the policy ACCEPT or DROP");
        } else {
            new_chain(name, words[0].column);
        }
    } else {
        set_policy({name, words[0].column}, words[1].text, counters);
    }
}

void SaveParser::set_policy(const Word& chain_at, std::string_view policy,
                            const RuleCounters& counters) {
    Chain* chain = table().find(chain_at.text);
    if (chain == nullptr || chain->policy == Policy::None) {
        error(chain_at.column, "table " + table_name() + " has no built-in chain " +
                                   in_quotes(chain_at.text) +
                                   "; a user chain has the policy \"-\"");
        if (chain == nullptr && !chain_at.text.empty()) {
            table().add(chain_at.text, Policy::None);  // so that its rules can be read
        }
    } else if (policy == "ACCEPT" || policy == "DROP") {
        if (policy == "DROP" && *id_ == TableId::Nat) {
            error(chain_at.column,
                  "the nat table is not for filtering, so the policy DROP is not"
                  " allowed in it");
        }
        chain->policy = policy == "DROP" ? Policy::Drop : Policy::Accept;
        chain->counters = counters;
    } else {
        error(chain_at.column,
              "unknown policy " + in_quotes(policy) + "; known are ACCEPT and DROP");
    }
}

void SaveParser::parse_command(std::vector<Word> words) {
    std::optional<RuleCounters> counters;
    if (words[0].text.starts_with('[')) {
        counters = parse_counters(words[0].text);
        if (!counters) {
            error(words[0].column, in_quotes(words[0].text) + " is not [packets:bytes]");
        }
        words.erase(words.begin());
    }
    if (words.empty()) {
        return;
    }
    take_apart(words);
    const std::string command = words[0].text;
    const bool has_chain_name = words.size() > 1;
    if (command == "-A" || command == "--append" || command == "-I" || command == "--insert") {
        parse_append(std::move(words), counters);
    } else if ((command == "-N" || command == "--new-chain") && has_chain_name) {
        new_chain(words[1].text, words[1].column);
    } else if ((command == "-P" || command == "--policy") && words.size() > 2) {
        set_policy(words[1], words[2].text, {});
    } else if (command == "-F" || command == "--flush") {
        ChainList& chains = table().chains;
        for (std::size_t i = 0; i < chains.size(); ++i) {
            if (!has_chain_name || chains[i].name == words[1].text) {
                chains.change(i).rules.clear();
            }
        }
    } else {
        error(words[0].column, in_quotes(command) +
                                   " is not something iptables-save writes;"
                                   " expected are -A, -I, -N, -P, -F, :CHAIN and COMMIT");
    }
}

void SaveParser::parse_append(std::vector<Word> words, std::optional<RuleCounters> counters) {
    const std::string command = words[0].text;
    if (words.size() < 2) {
        error(words[0].column, command + " needs a chain");
        return;
    }
    const Word chain_at = words[1];
    const bool insert = command == "-I" || command == "--insert";
    std::size_t at = insert ? 1 : 0;
    std::size_t used = 2;
    if (insert && words.size() > 2) {
        if (const auto number = parse_number(words[2].text, 0xffffffff)) {
            at = static_cast<std::size_t>(*number);
            used = 3;
            if (at == 0) {
                error(words[2].column, "the rules of a chain are numbered from 1");
                return;
            }
        }
    }
    if (const Chain* chain = need_chain(chain_at.text, chain_at.column)) {
        if (at > chain->rules.size() + 1) {
            if (with_gaps_.count(chain->name) == 0) {
                error(words[2].column, "chain " + chain->name + " has no rule " +
                                           std::to_string(at) + " to insert before");
            }
            at = 0;
        }
        words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(used));
        append_rules(chain_at, words, counters, at);
    }
}

// Precondition: the chain exists. `at`: 0 to append, else the number of the rule to stand before.
void SaveParser::append_rules(const Word& chain_at, const std::vector<Word>& words,
                              std::optional<RuleCounters> counters, std::size_t at) {
    Chain* chain = table().find(chain_at.text);
    const RuleRequest request{
        family_, *id_, chain->name, table(), {std::string(file_), line_, chain_at.column}, names_};
    std::vector<Rule> rules = parse_rule_words(request, words, errors_);
    if (rules.empty()) {
        with_gaps_.insert(chain_at.text);
        return;
    }
    std::size_t to = at != 0 ? at - 1 : chain->rules.size();
    for (Rule& rule : rules) {
        if (counters) {
            rule.counters = *counters;
        }
        rule.id = take_id(ruleset_);
        chain->rules.insert(to++, std::move(rule));
    }
}

bool SaveParser::new_chain(const std::string& name, std::uint32_t column) {
    if (table().find(name) != nullptr) {
        error(column, "chain " + in_quotes(name) + " is declared twice in table " + table_name());
        return false;
    }
    // A chain with a wrong name is there all the same, so that its rules can be read.
    std::string problem = chain_name_problem(name);
    if (!name.empty()) {
        table().add(name, Policy::None);
    }
    if (problem.empty()) {
        return true;
    }
    error(column, std::move(problem));
    return false;
}

Chain* SaveParser::need_chain(const std::string& name, std::uint32_t column) {
    Chain* chain = table().find(name);
    if (chain == nullptr) {
        std::vector<std::string_view> names;
        for (const Chain& known : table().chains) {
            names.push_back(known.name);
        }
        error(column, "no chain " + in_quotes(name) + " in table " + table_name() +
                          did_you_mean(name, names));
    }
    return chain;
}

}  // namespace

ConfigErrors parse_save(std::string_view text, std::string_view file, Family family, Ruleset& into,
                        const HostNames& names) {
    Ruleset draft = into;
    ConfigErrors errors = read_save(text, file, family, draft, names);
    // The rules that could be read are judged whatever was wrong with others.
    const ConfigErrors illegal = check(draft, family);
    errors.insert(errors.end(), illegal.begin(), illegal.end());
    std::stable_sort(errors.begin(), errors.end(), [](const ConfigError& a, const ConfigError& b) {
        return a.where.line < b.where.line;
    });
    if (errors.empty()) {
        into = std::move(draft);
    }
    return errors;
}

ConfigErrors read_save(std::string_view text, std::string_view file, Family family, Ruleset& into,
                       const HostNames& names) {
    return SaveParser(file, family, into, names).parse(text);
}

}  // namespace nsr::rules
