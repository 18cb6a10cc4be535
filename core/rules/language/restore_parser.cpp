#include "core/rules/language/restore_parser.hpp"

#include <algorithm>
#include <utility>

#include "core/rules/language/chain_name.hpp"
#include "core/rules/language/check.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

// "[packets:bytes]"
std::optional<RuleCounters> parse_counters(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (!text.starts_with('[') || !text.ends_with(']') || colon == std::string_view::npos) {
        return std::nullopt;
    }
    const auto packets = parse_decimal(text.substr(1, colon - 1));
    const auto bytes = parse_decimal(text.substr(colon + 1, text.size() - colon - 2));
    return packets && bytes ? std::optional(RuleCounters{*packets, *bytes}) : std::nullopt;
}

// ": NAME" is ":NAME", "* NAME" is "*NAME".
void close_gap(std::vector<Word>& words) {
    if (words[0].text.size() == 1 && words.size() > 1) {
        words[1].text.insert(0, words[0].text);
        words.erase(words.begin());
    }
}

}  // namespace

ConfigErrors RestoreParser::parse(std::string_view text) {
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

void RestoreParser::parse_line(std::string_view line) {
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos || line[first] == '#') {
        return;
    }
    auto words = split_words(line, Quoting::Restore);
    if (!words) {
        // The last one, since quotes pair up.
        error(static_cast<std::uint32_t>(line.rfind('"') + 1), "a quote is opened and not closed");
        return;
    }
    const std::string head = words->front().text;
    if (head.starts_with('*') || head.starts_with(':')) {
        close_gap(*words);
    }
    if (head.starts_with('*')) {
        begin_table(*words);
    } else if (skipping_) {
        skipping_ = head != "COMMIT";
    } else if (!id_) {
        error(words->front().column, in_quotes(head) +
                                         " stands outside of a table; a line such as"
                                         " \"*filter\" was expected");
    } else if (head == "COMMIT" && words->size() == 1) {
        id_.reset();
    } else if (head.starts_with(':')) {
        declare_chain(std::move(*words));
    } else {
        parse_command(std::move(*words));
    }
}

// What stands behind the name means nothing.
void RestoreParser::begin_table(const std::vector<Word>& words) {
    const std::string_view name = std::string_view(words[0].text).substr(1);
    if (id_ || skipping_) {
        error(1, "COMMIT is missing before table " + in_quotes(name));
    }
    table_line_ = line_;
    id_ = parse_table(name);
    if (!id_) {
        error(1, "unknown table " + in_quotes(name) +
                     did_you_mean(name, {"raw", "mangle", "nat", "filter", "security"}));
    }
    skipping_ = !id_ || (options_.only && options_.only != id_);
    with_gaps_.clear();
    counting_.clear();
    first_new_ = ruleset_.next_id;
    if (skipping_) {
        id_.reset();
        return;
    }
    ruleset_.load(family_, *id_);
    if (!seen_.insert(*id_).second) {
        // The kernel gets what stood between "*" and COMMIT before.
        const ConfigErrors illegal = check(table(), *id_);
        errors_.insert(errors_.end(), illegal.begin(), illegal.end());
    }
    if (options_.flush) {
        flush_table();
    }
}

// Built-in chains keep their policies, which count from nothing.
void RestoreParser::flush_table() {
    Table fresh;
    fresh.loaded = true;
    for (const Chain& chain : table().chains) {
        if (chain.policy != Policy::None) {
            Chain& kept = fresh.add(chain.name, chain.policy);
            kept.counting = chain.counting;
            count_from(kept, {});
        }
    }
    ruleset_.table(family_, *id_) = std::move(fresh);
}

// ":CHAIN POLICY [packets:bytes]"; a built-in chain with "-" keeps its policy.
void RestoreParser::declare_chain(std::vector<Word> words) {
    const Word chain{words[0].text.substr(1), words[0].column, false};
    const Chain* known = table().find(chain.text);
    const bool built_in = known != nullptr && known->policy != Policy::None;
    if (words.size() < 2) {
        error(words[0].column, "chain " + in_quotes(chain.text) +
                                   " needs a policy: ACCEPT, DROP, or - for a user chain");
    } else if (words[1].text != "-") {
        set_policy(chain, words[1].text, policy_counters(words));
    } else if (known != nullptr && !built_in && !options_.flush) {
        static_cast<void>(flush_chain(ruleset_, at(chain)));
    } else if (!built_in) {
        new_chain(chain, declared_name_problem(chain.text));
    }
}

RuleCounters RestoreParser::policy_counters(const std::vector<Word>& words) {
    if (words.size() < 3) {
        return {};
    }
    const auto parsed = parse_counters(words[2].text);
    if (!parsed) {
        error(words[2].column, in_quotes(words[2].text) + " is not [packets:bytes]");
    }
    return options_.counters ? parsed.value_or(RuleCounters{}) : RuleCounters{};
}

void RestoreParser::set_policy(const Word& chain_at, std::string_view policy,
                               const RuleCounters& counters) {
    const Chain* chain = table().find(chain_at.text);
    if (chain == nullptr || chain->policy == Policy::None) {
        error(chain_at.column, "table " + table_name() + " has no built-in chain " +
                                   in_quotes(chain_at.text) +
                                   "; a user chain has the policy \"-\"");
        if (chain == nullptr && !chain_at.text.empty()) {
            // So that its rules can be read.
            static_cast<void>(add_chain(ruleset_, at(chain_at)));
        }
        return;
    }
    if (policy != "ACCEPT" && policy != "DROP") {
        error(chain_at.column,
              "unknown policy " + in_quotes(policy) + "; known are ACCEPT and DROP");
        return;
    }
    const Policy wanted = policy == "DROP" ? Policy::Drop : Policy::Accept;
    counting_.insert(chain_at.text);
    static_cast<void>(rules::set_policy(ruleset_, at(chain_at), wanted, counters));
}

// `problem`: what is wrong with its name.
void RestoreParser::new_chain(const Word& chain_at, std::string problem) {
    const std::string& name = chain_at.text;
    if (table().find(name) != nullptr) {
        error(chain_at.column,
              "chain " + in_quotes(name) + " is declared twice in table " + table_name());
        return;
    }
    // A chain with a wrong name is there all the same, so that its rules can be read.
    if (!name.empty()) {
        static_cast<void>(add_chain(ruleset_, at(chain_at)));
    }
    if (!problem.empty()) {
        error(chain_at.column, std::move(problem));
    }
}

// "[packets:bytes]" may stand before it, and touch it.
void RestoreParser::parse_command(std::vector<Word> words) {
    GivenCounters counters;
    if (Word& head = words[0]; head.text.starts_with('[')) {
        const std::size_t end = std::min(head.text.find(']'), head.text.size() - 1) + 1;
        const auto given = parse_counters(std::string_view(head.text).substr(0, end));
        if (!given) {
            error(head.column, in_quotes(head.text) + " is not [packets:bytes]");
        }
        if (options_.counters) {
            counters = given.value_or(RuleCounters{});
        }
        head.text.erase(0, end);
        head.column += static_cast<std::uint32_t>(end);
        if (head.text.empty()) {
            words.erase(words.begin());
        }
    }
    if (words.empty()) {
        error(1, "a command was expected, such as -A INPUT");
        return;
    }
    run_command(std::move(words), counters);
}

}  // namespace nsr::rules
