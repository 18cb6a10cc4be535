#include "core/rules/language/rule_parser.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "core/rules/language/foreign.hpp"
#include "core/rules/language/loaded.hpp"
#include "core/rules/language/option_lookup.hpp"
#include "core/rules/language/rule_draft.hpp"
#include "core/rules/language/tolerated.hpp"
#include "core/rules/matches/matches.hpp"
#include "core/rules/targets/targets.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

class RuleParser {
  public:
    RuleParser(const RuleRequest& request, const std::vector<Word>& words, ConfigErrors& errors)
        : request_(request),
          words_(words),
          context_{.family = request.family,
                   .table = request.table,
                   .chain = request.chain,
                   .where = request.where,
                   .errors = errors},
          draft_(context_, request.chains, request.tolerance) {}

    std::vector<Rule> parse();

  private:
    void look_ahead();
    void parse_word();
    void parse_option(std::string_view name, bool is_short);
    void parse_module_option(std::string_view name);
    void give(Loaded& module, const OptionSpec& spec);
    bool load_protocol_module(std::string_view option);
    void unknown_option(std::string_view name);
    bool swallow();

    void built_in(const OptionSpec& spec);
    void load_match(const GivenOption& given);
    void set_target(const GivenOption& given, bool is_goto);
    std::optional<GivenOption> take(const OptionSpec& spec);

    void add_matches();
    void add_target();
    bool is_of_family(const std::string& what, FamilySupport families, const Loaded& loaded);

    bool failed() const { return context_.errors.size() != errors_before_; }
    const Word& word() const { return words_[at_]; }
    void error_here(std::string message) {
        context_.error({.column = column_}, std::move(message));
    }

    const RuleRequest& request_;
    const std::vector<Word>& words_;
    RuleContext context_;
    std::size_t errors_before_ = 0;
    std::size_t at_ = 0;
    std::uint32_t column_ = 0;
    bool inverted_ = false;
    std::optional<std::string_view> inline_value_;  // of --option=value

    RuleDraft draft_;
    std::vector<Loaded> loaded_;
    bool target_seen_ = false;
    std::string tolerated_target_;
    bool give_up_ = false;  // what follows cannot be judged
    std::uint8_t ahead_protocol_ = 0;
    const TargetModule* ahead_target_ = nullptr;
};

std::vector<Rule> RuleParser::parse() {
    errors_before_ = context_.errors.size();
    look_ahead();
    while (at_ < words_.size()) {
        parse_word();
    }
    if (inverted_) {
        error_here("nothing follows \"!\"");
    }
    if (give_up_) {
        return {};
    }
    add_matches();
    add_target();
    return failed() ? std::vector<Rule>() : draft_.expand();
}

// Options may stand before the -p or -j that gives them their meaning.
void RuleParser::look_ahead() {
    for (std::size_t i = 0; i + 1 < words_.size(); ++i) {
        const std::string& text = words_[i].text;
        if (words_[i].quoted) {
            continue;
        }
        if (text == "-p" || text == "--protocol") {
            ahead_protocol_ = parse_protocol(words_[i + 1].text).value_or(0);
        } else if (text == "-j" || text == "--jump") {
            ahead_target_ = find_target(words_[i + 1].text);
        }
    }
}

void RuleParser::parse_word() {
    const Word& current = words_[at_++];
    column_ = current.column;
    const std::string_view text = current.text;
    inline_value_.reset();
    if (text == "!") {
        if (inverted_) {
            error_here("\"!\" stands twice");
        }
        inverted_ = true;
        return;
    }
    if (text.starts_with("--") && text.size() > 2) {
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos) {
            inline_value_ = text.substr(equals + 1);
        }
        parse_option(text.substr(2, equals == std::string_view::npos ? equals : equals - 2), false);
    } else if (text.size() >= 2 && text[0] == '-' && text != "--") {
        if (text.size() > 2) {
            inline_value_ = text.substr(2);
        }
        parse_option(text.substr(1, 1), true);
    } else {
        error_here("unexpected word " + in_quotes(text) +
                   "; an option such as -s or --dport was expected");
    }
    inverted_ = false;
}

void RuleParser::parse_option(std::string_view name, bool is_short) {
    if (!is_short) {
        parse_module_option(name);
        return;
    }
    const std::string_view full = built_in_name(name[0]);
    const OptionSpec* spec = full.empty() ? nullptr : find_exact(built_in_options(), full);
    if (spec == nullptr) {
        error_here("unknown option \"-" + std::string(name) + "\"");
        return;
    }
    built_in(*spec);
}

void RuleParser::parse_module_option(std::string_view name) {
    for (std::size_t i = loaded_.size(); i-- > 0;) {
        if (const OptionSpec* spec = find_exact(loaded_[i].specs(), name)) {
            give(loaded_[i], *spec);
            return;
        }
    }
    if (const OptionSpec* spec = find_exact(built_in_options(), name)) {
        built_in(*spec);
        return;
    }
    if (load_protocol_module(name)) {
        return;
    }
    for (std::size_t i = loaded_.size(); i-- > 0;) {
        if (const OptionSpec* spec = find_prefix(loaded_[i].specs(), name)) {
            give(loaded_[i], *spec);
            return;
        }
    }
    if (const OptionSpec* spec = find_prefix(built_in_options(), name)) {
        built_in(*spec);
        return;
    }
    unknown_option(name);
}

// Loads the match of -p, or the target that -j names further on, if it has this option.
bool RuleParser::load_protocol_module(std::string_view option) {
    const MatchModule* match = find_protocol_match(ahead_protocol_, request_.family);
    const auto is_loaded = [&](const Loaded& loaded) { return loaded.match == match; };
    if (match != nullptr && std::none_of(loaded_.begin(), loaded_.end(), is_loaded)) {
        if (const OptionSpec* spec = find_option(match->options, option)) {
            loaded_.push_back({.match = match, .options = {match->name, {}}, .column = column_});
            give(loaded_.back(), *spec);
            return true;
        }
    }
    if (ahead_target_ != nullptr && !target_seen_) {
        if (const OptionSpec* spec = find_option(ahead_target_->options, option)) {
            loaded_.push_back(
                {.target = ahead_target_, .options = {ahead_target_->name, {}}, .column = column_});
            target_seen_ = true;
            give(loaded_.back(), *spec);
            return true;
        }
    }
    return false;
}

void RuleParser::unknown_option(std::string_view name) {
    if (give_up_) {
        at_ = words_.size();
        return;
    }
    if (swallow()) {
        return;
    }
    std::vector<std::span<const OptionSpec>> tables = {built_in_options()};
    for (const Loaded& loaded : loaded_) {
        tables.push_back(loaded.specs());
    }
    if (const auto* match = find_protocol_match(ahead_protocol_, request_.family)) {
        tables.push_back(match->options);
    }
    error_here(unknown_option_text(name, tables));
    while (at_ < words_.size() && !words_[at_].text.starts_with('-') && words_[at_].text != "!") {
        ++at_;
    }
}

// What nobody knows belongs to the tolerated extension that was named last, with all words up to
// the next option.
bool RuleParser::swallow() {
    const auto last = std::find_if(loaded_.rbegin(), loaded_.rend(),
                                   [](const Loaded& loaded) { return !loaded.tolerated.empty(); });
    if (last == loaded_.rend()) {
        return false;
    }
    append(last->words,
           inverted_ ? "! " + tolerated_option(words_, at_) : tolerated_option(words_, at_));
    return true;
}

std::optional<GivenOption> RuleParser::take(const OptionSpec& spec) {
    GivenOption given{.name = spec.alias.empty() ? spec.name : spec.alias,
                      .inverted = inverted_,
                      .column = column_};
    if (inverted_ && !spec.invertible) {
        error_here("\"!\" cannot stand before \"--" + std::string(spec.name) + "\"");
    }
    if (spec.values == kOptionalValue) {
        const bool follows =
            at_ < words_.size() && !word().text.starts_with('-') && !word().text.starts_with('!');
        given.value = inline_value_ ? *inline_value_ : follows ? words_[at_++].text : "";
        return given;
    }
    for (unsigned i = 0; i < spec.values; ++i) {
        std::string& value = i == 0 ? given.value : given.second;
        if (i == 0 && inline_value_) {
            value = *inline_value_;
        } else if (at_ == words_.size()) {
            error_here("option \"--" + std::string(spec.name) + "\" needs " +
                       (spec.values == 1 ? "a value" : "two values"));
            return std::nullopt;
        } else if (word().text == "!" && !word().quoted) {
            error_here("\"!\" belongs before the option: ! --" + std::string(spec.name));
            at_ = std::min(at_ + 2, words_.size());
            return std::nullopt;
        } else {
            value = words_[at_++].text;
        }
    }
    return given;
}

void RuleParser::give(Loaded& module, const OptionSpec& spec) {
    const auto given = take(spec);
    if (!given) {
        return;
    }
    if (module.options.has(given->name) && !spec.repeatable) {
        error_here("option \"--" + std::string(spec.name) + "\" stands twice in one rule");
        return;
    }
    module.options.given.push_back(*given);
}

void RuleParser::built_in(const OptionSpec& spec) {
    const auto given = take(spec);
    if (!given) {
        return;
    }
    const std::string_view name = given->name;
    if (name == "protocol") {
        draft_.set_protocol(*given);
    } else if (name == "source" || name == "destination") {
        draft_.set_addresses(*given, name == "source");
    } else if (name == "in-interface" || name == "out-interface") {
        draft_.set_interface(*given, name == "in-interface");
    } else if (name == "fragments") {
        draft_.set_fragments(*given);
    } else if (name == "jump" || name == "goto") {
        set_target(*given, name == "goto");
    } else if (name == "match") {
        load_match(*given);
    } else if (name == "set-counters") {
        draft_.set_counters(*given);
    } else if (name == "table") {
        error_here("-t has no place in a rule; the table is the one of the section");
    } else if ((name == "ipv4") == context_.v6()) {
        error_here("this rule is for the other family (" + std::string(name) + ")");
    }
}

void RuleParser::load_match(const GivenOption& given) {
    const MatchModule* module = find_match(given.value);
    if (module == nullptr && tolerates_match(request_.tolerance, given.value)) {
        loaded_.push_back({.column = given.column, .tolerated = given.value});
        return;
    }
    if (module == nullptr) {
        const std::string what = "match " + in_quotes(given.value);
        context_.error(given, not_supported(what, given.value, match_names()));
        at_ = words_.size();
        give_up_ = true;
        return;
    }
    loaded_.push_back({.match = module, .options = {module->name, {}}, .column = given.column});
}

void RuleParser::set_target(const GivenOption& given, bool is_goto) {
    const auto kind = draft_.set_target(given, is_goto);
    if (kind == RuleDraft::TargetKind::Unknown) {
        give_up_ = true;
    } else if (kind == RuleDraft::TargetKind::Tolerated) {
        loaded_.push_back({.column = given.column, .tolerated = given.value});
        tolerated_target_ = given.value;
    } else if (kind == RuleDraft::TargetKind::Module && !target_seen_) {
        const TargetModule* module = find_target(given.value);
        loaded_.push_back({.match = nullptr,
                           .target = module,
                           .options = {module->name, {}},
                           .column = given.column});
        target_seen_ = true;
    }
}

void RuleParser::add_matches() {
    for (const Loaded& loaded : loaded_) {
        const MatchModule* module = loaded.match;
        if (!loaded.tolerated.empty() && loaded.tolerated != tolerated_target_) {
            draft_.add(tolerated_match(loaded.tolerated, loaded.words));
        }
        if (module == nullptr ||
            !is_of_family("match " + in_quotes(module->name), module->families, loaded)) {
            continue;
        }
        if (module->protocol != 0 && !context_.only(module->protocol)) {
            context_.error("match " + in_quotes(module->name) + " needs \"-p " +
                           protocol_text(module->protocol) + "\" in the same rule");
        } else if (auto match = module->parse(loaded.options, context_)) {
            draft_.add(std::move(match));
        }
    }
}

void RuleParser::add_target() {
    for (const Loaded& loaded : loaded_) {
        const TargetModule* module = loaded.target;
        if (!loaded.tolerated.empty() && loaded.tolerated == tolerated_target_) {
            draft_.set(tolerated_target(loaded.tolerated, loaded.words));
        }
        if (module == nullptr ||
            !is_of_family("target " + std::string(module->name), module->families, loaded)) {
            continue;
        }
        if ((module->tables & bit(context_.table)) == 0) {
            context_.error("target " + std::string(module->name) + " is only valid in table " +
                           tables_text(module->tables) + ", not in " +
                           std::string(name_of(context_.table)));
        } else if (auto target = module->parse(loaded.options, context_)) {
            draft_.set(std::move(target));
        }
    }
}

// Complaints are about this module from now on.
bool RuleParser::is_of_family(const std::string& what, FamilySupport families,
                              const Loaded& loaded) {
    context_.column = loaded.column;
    const bool fits = families.has(context_.family);
    if (!fits) {
        context_.error(what + " is for " + (context_.v6() ? "IPv4" : "IPv6") + " only");
    }
    return fits;
}

}  // namespace

std::vector<Rule> parse_rule_words(const RuleRequest& request, const std::vector<Word>& words,
                                   ConfigErrors& errors) {
    return RuleParser(request, words, errors).parse();
}

}  // namespace nsr::rules
