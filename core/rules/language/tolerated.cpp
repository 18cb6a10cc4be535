#include "core/rules/language/tolerated.hpp"

#include <utility>

#include "core/base/words.hpp"
#include "core/rules/language/foreign.hpp"
#include "core/rules/match.hpp"
#include "core/rules/recite.hpp"
#include "core/rules/target.hpp"

namespace nsr::rules {

namespace {

// Made before the Match that refers to it.
struct Name {
    std::string text;
};

class ToleratedMatch : private Name, public Match {
  public:
    ToleratedMatch(std::string name, std::string words)
        : Name{std::move(name)}, Match(text), words_(std::move(words)) {}
    std::string save() const override { return words_; }
    MatchResult test(ActionParam&) const override { return MatchResult::No; }
    bool tolerated() const override { return true; }

  private:
    std::string words_;
};

class ToleratedTarget : public Target {
  public:
    ToleratedTarget(const std::string& name, std::string words)
        : Target(name), words_(std::move(words)) {}
    std::string save() const override { return words_; }
    bool tolerated() const override { return true; }

  private:
    std::string words_;
};

void add_warnings(const Rule& rule, ConfigErrors& warnings) {
    for (const auto& match : rule.matches) {
        if (match->tolerated()) {
            const std::string what = "match " + in_quotes(match->module());
            warnings.push_back({rule.where, not_supported(what, match->module(), {}) +
                                                "; it is tolerated, and never matches"});
        }
    }
    if (rule.target != nullptr && rule.target->tolerated()) {
        const std::string& name = rule.target->name();
        warnings.push_back({rule.where, not_supported("target " + name, name, {}) +
                                            "; it is tolerated, and does nothing"});
    }
}

}  // namespace

std::string tolerated_option(const std::vector<Word>& words, std::size_t& at) {
    std::string text = form::plain_or_quoted(words[at - 1].text);
    const auto begins_option = [](const Word& word) {
        return word.text.starts_with('-') || word.text == "!";
    };
    while (at < words.size() && (words[at].quoted || !begins_option(words[at]))) {
        const std::string& value = words[at].text;
        append(text, begins_option(words[at]) ? in_quotes(value) : form::plain_or_quoted(value));
        ++at;
    }
    return text;
}

std::shared_ptr<const Match> tolerated_match(std::string name, std::string words) {
    return std::make_shared<ToleratedMatch>(std::move(name), std::move(words));
}

std::shared_ptr<const Target> tolerated_target(const std::string& name, std::string words) {
    return std::make_shared<ToleratedTarget>(name, std::move(words));
}

ConfigErrors tolerated_rules(const Ruleset& ruleset) {
    ConfigErrors warnings;
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        for (std::size_t i = 0; i < kTableCount; ++i) {
            for (const Chain& chain : ruleset.table(family, static_cast<TableId>(i)).chains) {
                for (const Rule& rule : chain.rules) {
                    add_warnings(rule, warnings);
                }
            }
        }
    }
    return warnings;
}

}  // namespace nsr::rules
