#include "core/rules/language/native.hpp"

#include "core/rules/language/rule_parser.hpp"

namespace nsr::rules {

Result<std::vector<Rule>, ConfigErrors> parse_rules(const std::vector<std::string>& words,
                                                    Family family, TableId table,
                                                    std::string_view chain, const Ruleset& context,
                                                    const SourceLocation& where,
                                                    const HostNames& names) {
    const Table& chains = context.table(family, table);
    ConfigErrors errors;
    std::vector<Word> given;
    for (const std::string& word : words) {
        if (word.find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos) {
            return ConfigErrors{{where, "a value of a rule cannot hold a line break"}};
        }
        given.push_back({word, 0, false});
    }
    const RuleRequest request{family, table, chain, chains, where, context.tolerance, names};
    std::vector<Rule> rules = parse_rule_words(request, given, errors);
    if (!errors.empty()) {
        return errors;
    }
    return rules;
}

}  // namespace nsr::rules
