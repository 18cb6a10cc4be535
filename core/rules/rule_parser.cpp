#include "core/rules/rule_parser.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "core/rules/match_basic.hpp"
#include "core/rules/modules.hpp"
#include "core/rules/option_lookup.hpp"
#include "core/rules/text.hpp"

namespace nsr::rules {

namespace {

struct Loaded {
    const MatchModule* match = nullptr;
    const TargetModule* target = nullptr;
    Options options;
    std::uint32_t column = 0;
    [[nodiscard]] std::span<const OptionSpec> specs() const {
        return match != nullptr ? match->options : target->options;
    }
};

class RuleParser {
  public:
    RuleParser(const RuleRequest& request, const std::vector<Word>& words, ConfigErrors& errors)
        : request_(request),
          words_(words),
          context_{.family = request.family,
                   .table = request.table,
                   .chain = request.chain,
                   .where = request.where,
                   .errors = errors} {}

    std::vector<Rule> parse();

  private:
    void look_ahead();
    void parse_word();
    void parse_option(std::string_view name, bool is_short);
    void parse_module_option(std::string_view name);
    bool give(Loaded& module, const OptionSpec& spec, bool inverted);
    bool load_protocol_module(std::string_view option);
    void unknown_option(std::string_view name);

    void built_in(const OptionSpec& spec);
    void set_protocol(const GivenOption& given);
    void set_addresses(const GivenOption& given, bool source);
    void set_interface(const GivenOption& given, bool in);
    void load_match(const GivenOption& given);
    void set_target(const GivenOption& given, bool is_goto);
    void set_counters(const GivenOption& given);
    std::optional<GivenOption> take(const OptionSpec& spec);

    void add_matches();
    void add_target();
    std::vector<Rule> expand();

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

    std::array<std::vector<MaskedAddress>, 2> addresses_;  // [0] source, [1] destination
    std::array<bool, 2> address_inverted_{};
    std::array<std::shared_ptr<const Match>, 4> basic_;  // -i, -o, -p, -f
    std::vector<Loaded> loaded_;
    std::vector<std::shared_ptr<const Match>> matches_;
    std::shared_ptr<const Target> target_;
    bool target_seen_ = false;
    bool target_unknown_ = false;
    std::uint8_t ahead_protocol_ = 0;
    const TargetModule* ahead_target_ = nullptr;
    RuleCounters counters_;
};

std::string_view long_name(char letter) {
    switch (letter) {
        case 'p':
            return "protocol";
        case 's':
            return "source";
        case 'd':
            return "destination";
        case 'i':
            return "in-interface";
        case 'o':
            return "out-interface";
        case 'f':
            return "fragments";
        case 'j':
            return "jump";
        case 'g':
            return "goto";
        case 'm':
            return "match";
        case 'c':
            return "set-counters";
        case 't':
            return "table";
        case '4':
            return "ipv4";
        case '6':
            return "ipv6";
        default:
            return {};
    }
}

std::vector<Rule> RuleParser::parse() {
    errors_before_ = context_.errors.size();
    look_ahead();
    while (at_ < words_.size()) {
        parse_word();
    }
    if (inverted_) {
        error_here("nothing follows \"!\"");
    }
    if (target_unknown_) {
        return {};
    }
    add_matches();
    add_target();
    return failed() ? std::vector<Rule>() : expand();
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
    const std::string_view full = long_name(name[0]);
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
            give(loaded_[i], *spec, inverted_);
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
            give(loaded_[i], *spec, inverted_);
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
            return give(loaded_.back(), *spec, inverted_), true;
        }
    }
    if (ahead_target_ != nullptr && !target_seen_) {
        if (const OptionSpec* spec = find_option(ahead_target_->options, option)) {
            loaded_.push_back(
                {.target = ahead_target_, .options = {ahead_target_->name, {}}, .column = column_});
            target_seen_ = true;
            return give(loaded_.back(), *spec, inverted_), true;
        }
    }
    return false;
}

void RuleParser::unknown_option(std::string_view name) {
    const std::string shown = in_quotes("--" + std::string(name));
    if (target_unknown_) {
        at_ = words_.size();
        return;
    }
    if (const std::string owners = owners_text(name); !owners.empty()) {
        error_here("option " + shown + " needs " + owners + " in the same rule");
    } else {
        std::vector<std::string_view> known;
        collect_names(built_in_options(), known);
        for (const Loaded& loaded : loaded_) {
            collect_names(loaded.specs(), known);
        }
        if (const auto* match = find_protocol_match(ahead_protocol_, request_.family)) {
            collect_names(match->options, known);
        }
        std::string_view near = nearest(name, known);
        near = near.empty() ? nearest_option_anywhere(name) : near;
        error_here("unknown option " + shown +
                   (near.empty() ? "" : "; did you mean \"--" + std::string(near) + "\"?"));
    }
    while (at_ < words_.size() && !words_[at_].text.starts_with('-') && words_[at_].text != "!") {
        ++at_;
    }
}

std::optional<GivenOption> RuleParser::take(const OptionSpec& spec) {
    GivenOption given{.name = spec.alias.empty() ? spec.name : spec.alias,
                      .inverted = inverted_,
                      .column = column_};
    if (inverted_ && !spec.invertible) {
        error_here("\"!\" cannot stand before \"--" + std::string(spec.name) + "\"");
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
            ++at_;
            return std::nullopt;
        } else {
            value = words_[at_++].text;
        }
    }
    return given;
}

bool RuleParser::give(Loaded& module, const OptionSpec& spec, bool) {
    const auto given = take(spec);
    if (!given) {
        return false;
    }
    if (module.options.has(given->name) && !spec.repeatable) {
        error_here("option \"--" + std::string(spec.name) + "\" stands twice in one rule");
        return false;
    }
    module.options.given.push_back(*given);
    return true;
}

void RuleParser::built_in(const OptionSpec& spec) {
    const auto given = take(spec);
    if (!given) {
        return;
    }
    const std::string_view name = given->name;
    if (name == "protocol") {
        set_protocol(*given);
    } else if (name == "source" || name == "destination") {
        set_addresses(*given, name == "source");
    } else if (name == "in-interface" || name == "out-interface") {
        set_interface(*given, name == "in-interface");
    } else if (name == "fragments") {
        if (context_.v6()) {
            error_here("-f is for IPv4 only; in IPv6 write -m frag");
        }
        basic_[3] = std::make_shared<FragmentMatch>(given->inverted);
    } else if (name == "jump" || name == "goto") {
        set_target(*given, name == "goto");
    } else if (name == "match") {
        load_match(*given);
    } else if (name == "set-counters") {
        set_counters(*given);
    } else if (name == "table") {
        error_here("-t has no place in a rule; the table is the one of the section");
    } else if ((name == "ipv4") == context_.v6()) {
        error_here("this rule is for the other family (" + std::string(name) + ")");
    }
}

void RuleParser::set_protocol(const GivenOption& given) {
    const auto protocol = parse_protocol(given.value);
    if (!protocol) {
        std::vector<std::string_view> names = {"tcp", "udp", "icmp", "icmpv6",  "sctp", "dccp",
                                               "gre", "esp", "ah",   "udplite", "all"};
        context_.error(
            given, "unknown protocol " + in_quotes(given.value) + did_you_mean(given.value, names));
        return;
    }
    if (context_.protocol != 0) {
        context_.error(given, "-p stands twice in one rule");
    }
    if (*protocol == 0 && given.inverted) {
        context_.error(given, "\"! -p all\" would never match anything");
    }
    context_.protocol = *protocol;
    context_.protocol_inverted = given.inverted;
    if (*protocol != 0) {
        basic_[2] = std::make_shared<ProtocolMatch>(*protocol, given.inverted);
    }
}

void RuleParser::set_addresses(const GivenOption& given, bool source) {
    auto& list = addresses_[source ? 0 : 1];
    if (!list.empty()) {
        context_.error(given, std::string(source ? "-s" : "-d") + " stands twice in one rule");
    }
    const auto parts = split(given.value, ',');
    for (const std::string_view part : parts) {
        const auto address = parse_masked_address(part, context_.family);
        if (!address) {
            context_.error(given,
                           in_quotes(part) + " is not an " +
                               (context_.v6() ? "IPv6 address or prefix, such as fd00::/8"
                                              : "IPv4 address or prefix, such as 10.0.0.0/8"));
        } else {
            list.push_back(*address);
        }
    }
    if (given.inverted && parts.size() > 1) {
        context_.error(given,
                       "\"!\" cannot stand before a list of addresses; write one rule for each");
    }
    address_inverted_[source ? 0 : 1] = given.inverted;
}

void RuleParser::set_interface(const GivenOption& given, bool in) {
    auto& match = basic_[in ? 0 : 1];
    const std::string option = in ? "-i" : "-o";
    if (match != nullptr) {
        context_.error(given, option + " stands twice in one rule");
    }
    if (given.value.empty() || given.value.size() > 15) {
        context_.error(
            given, "interface name " + in_quotes(given.value) + " must have 1 to 15 characters");
    }
    const std::string_view chain = context_.chain;
    if (in && (chain == "OUTPUT" || chain == "POSTROUTING")) {
        context_.error(given, "-i cannot be used in " + std::string(chain) +
                                  ", whose packets are on their way out; write -o");
    }
    if (!in && (chain == "PREROUTING" || chain == "INPUT")) {
        context_.error(given, "-o cannot be used in " + std::string(chain) +
                                  ", where the way out is not known; write -i");
    }
    if (given.value != "+" || given.inverted) {
        match = std::make_shared<InterfaceMatch>(in, given.value, given.inverted);
    }
}

void RuleParser::load_match(const GivenOption& given) {
    const MatchModule* module = find_match(given.value);
    if (module == nullptr) {
        std::vector<std::string_view> names;
        for (const MatchModule* row : match_modules()) {
            names.push_back(row->name);
        }
        context_.error(given, "unsupported match " + in_quotes(given.value) +
                                  did_you_mean(given.value, names));
        at_ = words_.size();
        target_unknown_ = true;
        return;
    }
    loaded_.push_back({.match = module, .options = {module->name, {}}, .column = given.column});
}

void RuleParser::set_target(const GivenOption& given, bool is_goto) {
    using Kind = StandardTarget::Kind;
    if (target_ != nullptr) {
        context_.error(given, "a rule has only one -j or -g");
        return;
    }
    const std::string& name = given.value;
    const Chain* chain = request_.chains.find(name);
    if (chain != nullptr && chain->policy == Policy::None) {
        target_ = std::make_shared<StandardTarget>(is_goto ? Kind::Goto : Kind::Jump, name);
    } else if (chain != nullptr) {
        context_.error(given, "a rule cannot jump to the built-in chain " + name);
        target_unknown_ = true;
    } else if (!is_goto && (name == "ACCEPT" || name == "DROP" || name == "RETURN")) {
        const Kind kind = name == "ACCEPT" ? Kind::Accept
                          : name == "DROP" ? Kind::Drop
                                           : Kind::Return;
        if (kind == Kind::Drop && request_.table == TableId::Nat) {
            context_.error(given,
                           "the nat table is not for filtering, so DROP is not allowed in it;"
                           " drop in filter, or in raw");
        }
        target_ = std::make_shared<StandardTarget>(kind, name);
    } else if (const TargetModule* module = is_goto ? nullptr : find_target(name)) {
        if (!target_seen_) {
            loaded_.push_back(
                {.target = module, .options = {module->name, {}}, .column = given.column});
        }
        target_seen_ = true;
    } else {
        std::vector<std::string_view> names;
        for (const Chain& known : request_.chains.chains) {
            if (known.policy == Policy::None) {
                names.push_back(known.name);
            }
        }
        if (!is_goto) {
            names.insert(names.end(), {"ACCEPT", "DROP", "RETURN"});
            for (const TargetModule* row : target_modules()) {
                names.push_back(row->name);
            }
        }
        context_.error(given, (is_goto ? "no chain " : "no chain or target ") + in_quotes(name) +
                                  " in table " + std::string(name_of(request_.table)) +
                                  did_you_mean(name, names));
        target_unknown_ = true;
    }
}

void RuleParser::set_counters(const GivenOption& given) {
    const auto packets = parse_number(given.value);
    const auto bytes = parse_number(given.second);
    if (!packets || !bytes) {
        context_.error(given, "-c needs a number of packets and a number of bytes");
        return;
    }
    counters_ = {*packets, *bytes};
}

void RuleParser::add_matches() {
    for (const Loaded& loaded : loaded_) {
        const MatchModule* module = loaded.match;
        if (module == nullptr) {
            continue;
        }
        const GivenOption at{.column = loaded.column};
        if (context_.v6() ? !module->families.ipv6 : !module->families.ipv4) {
            context_.error(at, "match " + in_quotes(module->name) + " is for " +
                                   (context_.v6() ? "IPv4" : "IPv6") + " only");
        } else if (module->protocol != 0 && !context_.only(module->protocol)) {
            context_.error(at, "match " + in_quotes(module->name) + " needs \"-p " +
                                   protocol_text(module->protocol) + "\" in the same rule");
        } else if (auto match = module->parse(loaded.options, context_)) {
            matches_.push_back(std::move(match));
        }
    }
}

void RuleParser::add_target() {
    for (const Loaded& loaded : loaded_) {
        const TargetModule* module = loaded.target;
        if (module == nullptr) {
            continue;
        }
        const GivenOption at{.column = loaded.column};
        if (context_.v6() ? !module->families.ipv6 : !module->families.ipv4) {
            context_.error(at, "target " + std::string(module->name) + " is for " +
                                   (context_.v6() ? "IPv4" : "IPv6") + " only");
        } else if ((module->tables & bit(context_.table)) == 0) {
            context_.error(at, "target " + std::string(module->name) + " is only valid in table " +
                                   tables_text(module->tables) + ", not in " +
                                   std::string(name_of(context_.table)));
        } else if (auto target = module->parse(loaded.options, context_)) {
            target_ = std::move(target);
        }
    }
}

std::vector<Rule> RuleParser::expand() {
    for (auto& list : addresses_) {
        if (list.empty()) {
            list.push_back({mask_of(context_.family, 0), mask_of(context_.family, 0)});
        }
    }
    std::vector<Rule> rules;
    for (const MaskedAddress& source : addresses_[0]) {
        for (const MaskedAddress& destination : addresses_[1]) {
            Rule rule;
            rule.target = target_;
            rule.counters = counters_;
            rule.where = request_.where;
            const auto add_address = [&](const MaskedAddress& address, std::size_t which) {
                if (!address.mask.is_unspecified() || address_inverted_[which]) {
                    rule.matches.push_back(std::make_shared<AddressMatch>(
                        which == 0, address, address_inverted_[which]));
                }
            };
            add_address(source, 0);
            add_address(destination, 1);
            for (const auto& match : basic_) {
                if (match != nullptr) {
                    rule.matches.push_back(match);
                }
            }
            rule.matches.insert(rule.matches.end(), matches_.begin(), matches_.end());
            rules.push_back(std::move(rule));
        }
    }
    return rules;
}

}  // namespace

std::vector<Rule> parse_rule_words(const RuleRequest& request, const std::vector<Word>& words,
                                   ConfigErrors& errors) {
    return RuleParser(request, words, errors).parse();
}

}  // namespace nsr::rules
