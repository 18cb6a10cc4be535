// The lines of an iptables-save text, one after the other; see restore.hpp.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/words.hpp"
#include "core/rules/edit.hpp"
#include "core/rules/language/restore_options.hpp"
#include "core/rules/words/host_names.hpp"

namespace nsr::rules {

class RestoreParser {
  public:
    RestoreParser(std::string_view file, Family family, const RestoreOptions& options,
                  Ruleset& ruleset, const HostNames& names)
        : file_(file), family_(family), options_(options), ruleset_(ruleset), names_(names) {}

    ConfigErrors parse(std::string_view text);

  private:
    // restore_parser.cpp
    void parse_line(std::string_view line);
    void begin_table(const std::vector<Word>& words);
    void flush_table();
    void declare_chain(std::vector<Word> words);
    RuleCounters policy_counters(const std::vector<Word>& words);
    void set_policy(const Word& chain_at, std::string_view policy, const RuleCounters& counters);
    void new_chain(const Word& chain_at, std::string problem);
    void parse_command(std::vector<Word> words);

    // restore_commands.cpp
    using GivenCounters = std::optional<RuleCounters>;
    void run_command(std::vector<Word> words, const GivenCounters& counters);
    void put_rules(char letter, std::vector<Word> words, const GivenCounters& counters);
    void delete_rules(char letter, std::vector<Word> words);
    void rename(const std::vector<Word>& words);
    void on_chains(char letter, const std::vector<Word>& words);
    bool is_for_other_family(const Word& chain_at, const std::vector<Word>& words);
    void look_at(const std::vector<Word>& words);
    void zero(std::vector<Word> words);
    Edited zero_older(const Word& chain_at);
    void change_policy(const std::vector<Word>& words, const RuleCounters& counters);
    std::vector<Rule> rules_of(const Word& chain_at, const std::vector<Word>& words,
                               const GivenCounters& counters = {}, bool may_count = true);
    // The number at words[2], which is taken out; 0 was reported. Nothing: there is none.
    std::optional<std::size_t> take_number(std::vector<Word>& words);
    bool need_chain(const Word& chain_at);
    void no_such_number(const Word& chain_at, const Word& number_at, std::size_t number,
                        char letter);
    void refused(EditError problem, const Word& where);

    void error(std::uint32_t column, std::string message) {
        errors_.push_back({{std::string(file_), line_, column}, std::move(message)});
    }
    [[nodiscard]] std::string table_name() const { return std::string(name_of(*id_)); }
    [[nodiscard]] const Table& table() const {
        return static_cast<const Ruleset&>(ruleset_).table(family_, *id_);
    }
    [[nodiscard]] bool is_older(const Rule& rule) const { return raw(rule.id) < raw(first_new_); }
    [[nodiscard]] ChainAt at(const Word& chain) const { return {family_, *id_, chain.text}; }

    std::string_view file_;
    Family family_;
    RestoreOptions options_;
    Ruleset& ruleset_;
    const HostNames& names_;
    ConfigErrors errors_;
    std::uint32_t line_ = 0;
    std::optional<TableId> id_;  // the table we are in
    bool skipping_ = false;      // in a table that nobody knows or wants
    std::uint32_t table_line_ = 0;
    std::set<std::string> with_gaps_;  // chains of this table that lack a rule, which was wrong
    std::set<TableId> seen_;           // tables of the text so far
    RuleId first_new_ = RuleId::None;  // rules with ids below were there before this table
    std::set<std::string> counting_;   // chains whose policy counts from what this table says
};

}  // namespace nsr::rules
