#include "core/rules/language/restore_parser.hpp"

#include <utility>

#include "core/rules/language/chain_name.hpp"
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

void RestoreParser::begin_table(std::string_view name) {
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
    if (skipping_) {
        id_.reset();
        return;
    }
    ruleset_.load(family_, *id_);
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

// ":CHAIN POLICY [packets:bytes]"
void RestoreParser::declare_chain(const std::vector<Word>& words) {
    const Word chain{words[0].text.substr(1), words[0].column, false};
    RuleCounters counters;
    if (words.size() > 2) {
        const auto parsed = parse_counters(words[2].text);
        if (!parsed) {
            error(words[2].column, in_quotes(words[2].text) + " is not [packets:bytes]");
        }
        counters = parsed.value_or(RuleCounters{});
    }
    if (words.size() < 2) {
        error(words[0].column, "chain " + in_quotes(chain.text) +
                                   " needs a policy: ACCEPT, DROP, or - for a user chain");
    } else if (words[1].text != "-") {
        set_policy(chain, words[1].text, options_.counters ? counters : RuleCounters{});
    } else if (const Chain* known = table().find(chain.text);
               known != nullptr && known->policy != Policy::None) {
        error(words[1].column, "built-in chain " + chain.text + " needs the policy ACCEPT or DROP");
    } else {
        new_chain(chain, !options_.flush);
    }
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
    if (wanted == Policy::Drop && *id_ == TableId::Nat) {
        error(chain_at.column,
              "the nat table is not for filtering, so the policy DROP is not"
              " allowed in it");
    }
    static_cast<void>(rules::set_policy(ruleset_, at(chain_at), wanted, counters));
}

// With -n a chain that is there is emptied.
void RestoreParser::new_chain(const Word& chain_at, bool may_be_there) {
    const std::string& name = chain_at.text;
    if (table().find(name) != nullptr) {
        if (may_be_there) {
            static_cast<void>(flush_chain(ruleset_, at(chain_at)));
            return;
        }
        error(chain_at.column,
              "chain " + in_quotes(name) + " is declared twice in table " + table_name());
        return;
    }
    // A chain with a wrong name is there all the same, so that its rules can be read.
    std::string problem = chain_name_problem(name);
    if (!name.empty()) {
        static_cast<void>(add_chain(ruleset_, at(chain_at)));
    }
    if (!problem.empty()) {
        error(chain_at.column, std::move(problem));
    }
}

void RestoreParser::parse_command(std::vector<Word> words) {
    RuleCounters counters;
    if (words[0].text.starts_with('[')) {
        const auto given = parse_counters(words[0].text);
        if (!given) {
            error(words[0].column, in_quotes(words[0].text) + " is not [packets:bytes]");
        }
        counters = options_.counters ? given.value_or(RuleCounters{}) : RuleCounters{};
        words.erase(words.begin());
    }
    if (!words.empty()) {
        take_apart(words);
        run_command(std::move(words), counters);
    }
}

}  // namespace nsr::rules
