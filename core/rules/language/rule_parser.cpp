#include "core/rules/language/rule_parser.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "core/rules/language/foreign.hpp"
#include "core/rules/language/loaded.hpp"
#include "core/rules/language/option_lookup.hpp"
#include "core/rules/language/rule_draft.hpp"
#include "core/rules/language/tolerated.hpp"
#include "core/rules/language/word_reader.hpp"
#include "core/rules/matches/matches.hpp"
#include "core/rules/targets/targets.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

// Matches that came when negation stood before options already: no old file has it inside them, nor
// inside a target. differs: old-negation
constexpr auto kLateMatches = std::to_array<std::string_view>(
    {"bpf", "cgroup", "cluster", "connlabel", "cpu", "devgroup", "ipcomp", "ipvs", "nfacct", "osf",
     "rpfilter", "socket", "srh"});

bool is_late(const MatchModule& match) {
    return std::find(kLateMatches.begin(), kLateMatches.end(), match.name) != kLateMatches.end();
}

class RuleParser {
  public:
    RuleParser(const RuleRequest& request, const std::vector<Word>& words, ConfigErrors& errors)
        : request_(request),
          context_{.family = request.family,
                   .table = request.table,
                   .chain = request.chain,
                   .where = request.where,
                   .errors = errors,
                   .names = request.names},
          words_(words, context_),
          draft_(context_, request.chains, request.tolerance, request.counters) {}

    std::vector<Rule> parse();

  private:
    void look_ahead();
    void parse_word();
    void parse_option(std::string_view name, bool is_short);
    void parse_module_option(std::string_view name);
    [[nodiscard]] FoundOption find(std::string_view name) const;
    void give(Loaded& module, const OptionSpec& spec);
    bool load_protocol_module(std::string_view option);
    void unknown_option(std::string_view name);
    bool swallow();

    void built_in(const OptionSpec& spec);
    void load_match(const GivenOption& given);
    void set_target(const GivenOption& given, bool is_goto);

    void add_matches();
    void add_target();
    bool is_of_family(const std::string& what, FamilySupport families, const Loaded& loaded);

    void error_here(std::string message) { words_.error(std::move(message)); }

    const RuleRequest& request_;
    RuleContext context_;
    WordReader words_;
    std::size_t errors_before_ = 0;

    RuleDraft draft_;
    std::vector<Loaded> loaded_;
    bool target_seen_ = false;
    std::string tolerated_target_;
    bool give_up_ = false;  // what follows cannot be judged
    const MatchModule* ahead_match_ = nullptr;
    const TargetModule* ahead_target_ = nullptr;
};

std::vector<Rule> RuleParser::parse() {
    errors_before_ = context_.errors.size();
    look_ahead();
    while (!words_.at_end()) {
        parse_word();
    }
    if (words_.inverted) {
        error_here("nothing follows \"!\"");
    }
    if (give_up_) {
        return {};
    }
    add_matches();
    add_target();
    return context_.errors.size() != errors_before_ ? std::vector<Rule>() : draft_.expand();
}

// Options may stand before the -p or -j that gives them their meaning.
void RuleParser::look_ahead() {
    const std::vector<Word>& words = words_.all();
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
        const std::string& text = words[i].text;
        if (words[i].quoted) {
            continue;
        }
        if (text == "-p" ||
            (text.starts_with("--prot") && std::string_view("--protocol").starts_with(text))) {
            ahead_match_ = find_protocol_match(words[i + 1].text, request_.family);
        } else if (text == "-j" || text == "--jump") {
            ahead_target_ = find_target(words[i + 1].text);
        }
    }
}

void RuleParser::parse_word() {
    const std::string_view text = words_.next().text;
    if (text == "!") {
        if (words_.inverted) {
            error_here("\"!\" stands twice");
        }
        words_.inverted = true;
        return;
    }
    if (text.starts_with("--") && text.size() > 2) {
        const std::size_t equals = std::min(text.find('='), text.size());
        if (equals != text.size()) {
            words_.inline_value = text.substr(equals + 1);
        }
        parse_option(text.substr(2, equals - 2), false);
    } else if (text.size() >= 2 && text[0] == '-' && text != "--") {
        if (text.size() > 2) {
            words_.inline_value = text.substr(2);
        }
        parse_option(text.substr(1, 1), true);
    } else {
        error_here("unexpected word " + in_quotes(text) +
                   "; an option such as -s or --dport was expected");
    }
    words_.inverted = false;
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
    FoundOption found = find(name);
    if (found.spec == nullptr && load_protocol_module(name)) {
        found = find(name);
    }
    if (found.spec == nullptr) {
        unknown_option(name);
    } else if (found.table == loaded_.size()) {
        built_in(*found.spec);
    } else {
        give(loaded_[loaded_.size() - 1 - found.table], *found.spec);
    }
}

FoundOption RuleParser::find(std::string_view name) const {
    std::vector<std::span<const OptionSpec>> tables;
    for (std::size_t i = loaded_.size(); i-- > 0;) {
        tables.push_back(loaded_[i].specs(context_.family));
    }
    // Nobody has it in IPv6, but what its name means is known.
    const bool fragments = find_exact(built_in_options(), name) != nullptr;
    tables.push_back(fragments ? built_in_options() : built_in_options(context_.family));
    return look_up(tables, name);
}

// Loads the match of -p, or the target that -j names further on, if it has this option.
bool RuleParser::load_protocol_module(std::string_view option) {
    const auto has_it = [&](std::span<const OptionSpec> specs) {
        return std::any_of(specs.begin(), specs.end(),
                           [&](const OptionSpec& spec) { return spec.name.starts_with(option); });
    };
    const auto is_loaded = [&](const Loaded& loaded) { return loaded.match == ahead_match_; };
    if (ahead_match_ != nullptr && std::none_of(loaded_.begin(), loaded_.end(), is_loaded) &&
        has_it(ahead_match_->options_in(request_.family))) {
        loaded_.push_back({.match = ahead_match_,
                           .options = {ahead_match_->name, {}},
                           .column = words_.column()});
        return true;
    }
    if (ahead_target_ != nullptr && !target_seen_ && has_it(ahead_target_->options)) {
        loaded_.push_back({.target = ahead_target_,
                           .options = {ahead_target_->name, {}},
                           .column = words_.column()});
        target_seen_ = true;
        return true;
    }
    return false;
}

void RuleParser::unknown_option(std::string_view name) {
    if (give_up_) {
        words_.skip_to_end();
        return;
    }
    if (swallow()) {
        return;
    }
    if (find(name).several) {
        error_here("option " + in_quotes("--" + std::string(name)) +
                   " is short for more than one; write it in full");
    } else {
        std::vector<std::span<const OptionSpec>> tables = {built_in_options()};
        for (const Loaded& loaded : loaded_) {
            tables.push_back(loaded.specs(context_.family));
        }
        if (ahead_match_ != nullptr) {
            tables.push_back(ahead_match_->options_in(request_.family));
        }
        error_here(unknown_option_text(name, tables));
    }
    words_.skip_values();
}

// What nobody knows belongs to the tolerated extension that was named last, with all words up to
// the next option.
bool RuleParser::swallow() {
    const auto last = std::find_if(loaded_.rbegin(), loaded_.rend(),
                                   [](const Loaded& loaded) { return !loaded.tolerated.empty(); });
    if (last == loaded_.rend()) {
        return false;
    }
    const std::string option = words_.take_tolerated();
    append(last->words, words_.inverted ? "! " + option : option);
    return true;
}

void RuleParser::give(Loaded& module, const OptionSpec& spec) {
    const auto given = words_.take(spec, module.match != nullptr && !is_late(*module.match));
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
    const auto given = words_.take(spec, true);
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
        if (request_.may_count) {
            draft_.set_counters(*given);
        } else {
            error_here("-c has no place in -D and -C");
        }
    } else if (name == "table") {
        error_here("-t has no place in a rule; the table is the one of the section");
    } else if (name != "verbose" && (name == "ipv4") == context_.v6()) {
        give_up_ =
            true;  // the rule is for the other family, and the rest of it is nobody's concern
        words_.skip_to_end();
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
        words_.skip_to_end();
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
        if (module->is_bound_in(context_.family) && !context_.only(module->protocol)) {
            context_.refuse("match " + in_quotes(module->name) + " needs \"-p " +
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
            context_.refuse("target " + std::string(module->name) + " is only valid in table " +
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
