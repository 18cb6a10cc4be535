#include "router/tools/iptables/saved_rule.hpp"

#include "core/rules/match.hpp"
#include "core/rules/save.hpp"
#include "core/rules/target.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::router {
namespace {

bool is(const Word& word, std::string_view text) {
    return !word.quoted && word.text == text;
}

std::vector<Word> words_of(const std::string& text) {
    return split_words(text, Quoting::Restore).value_or(std::vector<Word>());
}

// -s, -d, -i, -o, -p or -f at `at`, with a "!" before it; false: it is none of them.
bool read_field(SavedRule& rule, const std::vector<Word>& words, std::size_t& at) {
    const bool inverted = is(words[at], "!");
    const std::size_t name = at + (inverted ? 1 : 0);
    if (name >= words.size() || words[name].text.size() != 2) {
        return false;
    }
    std::optional<SavedField>* field = nullptr;
    switch (words[name].text[1]) {
        case 's':
            field = &rule.source;
            break;
        case 'd':
            field = &rule.destination;
            break;
        case 'i':
            field = &rule.in;
            break;
        case 'o':
            field = &rule.out;
            break;
        case 'p':
            field = &rule.protocol;
            break;
        case 'f':
            rule.fragments = SavedField{"", inverted};
            at = name + 1;
            return true;
        default:
            return false;
    }
    if (name + 1 == words.size()) {
        return false;
    }
    *field = SavedField{words[name + 1].text, inverted};
    at = name + 2;
    return true;
}

}  // namespace

std::vector<SavedOption> SavedPart::options() const {
    std::vector<SavedOption> options;
    bool inverted = false;
    for (const Word& word : words) {
        if (is(word, "!")) {
            inverted = true;
        } else if (!word.quoted && word.text.starts_with("--")) {
            options.push_back({word.text.substr(2), {}, inverted});
            inverted = false;
        } else if (!options.empty()) {
            options.back().values.push_back(word.text);
        }
    }
    return options;
}

std::uint8_t SavedRule::protocol_number() const {
    if (!protocol || protocol->inverted) {
        return 0;
    }
    return rules::parse_protocol(protocol->value).value_or(0);
}

SavedRule saved_rule(const rules::Rule& rule) {
    SavedRule saved;
    for (const auto& match : rule.matches) {
        const std::vector<Word> words = words_of(match->save());
        if (!match->module().empty()) {
            saved.matches.push_back({std::string(match->module()), words});
            continue;
        }
        std::size_t at = 0;
        read_field(saved, words, at);
    }
    if (rule.target != nullptr) {
        saved.target = {rule.target->name(), words_of(rule.target->save())};
        saved.is_goto = rule.target->jump() == rules::Target::Jump::Goto;
        saved.jumps = rule.target->jump() != rules::Target::Jump::None;
    }
    return saved;
}

std::optional<SavedRule> parse_saved_rule(std::string_view text) {
    const auto words = split_words(text, Quoting::Restore);
    if (!words) {
        return std::nullopt;
    }
    SavedRule rule;
    std::size_t at = 0;
    while (at < words->size() && read_field(rule, *words, at)) {
    }
    SavedPart* part = nullptr;
    for (; at < words->size(); ++at) {
        const Word& word = (*words)[at];
        const bool is_target = is(word, "-j") || is(word, "-g");
        if ((is(word, "-m") || is_target) && at + 1 < words->size()) {
            part = is_target ? &rule.target : &rule.matches.emplace_back();
            part->name = (*words)[++at].text;
            rule.is_goto = rule.is_goto || is(word, "-g");
        } else if (part != nullptr) {
            part->words.push_back(word);
        }
    }
    return rule;
}

}  // namespace nsr::router
