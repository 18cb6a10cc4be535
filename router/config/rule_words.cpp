#include "router/config/rule_words.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/words.hpp"
#include "core/rules/language/option_lookup.hpp"
#include "core/rules/ruleset.hpp"
#include "router/base/text_file.hpp"

namespace nsr::router {
namespace {

using rules::OptionOwner;
using Words = std::vector<std::string>;

constexpr std::array<std::string_view, 8> kProtocolModules = {
    "tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmp6", "ipv6-icmp"};
// Options that take two words, given as one string with a blank or as an array of two.
constexpr std::array<std::string_view, 5> kTwoWords = {"tcp-flags", "match-set", "add-set",
                                                       "del-set", "map-set"};
// One key of a rule.
struct Option {
    std::string module;  // as written before the dot; empty: none was
    std::string name;
    bool negated = false;
    const TomlValue* value = nullptr;
    SourceLocation where;
};

class Translator {
  public:
    Translator(const TomlValue& table, ConfigErrors& errors) : table_(table), errors_(errors) {}
    std::optional<NativeRule> run();

  private:
    void whole_rule(const TomlMember& text);
    void collect(const TomlValue& table, const std::string& module, bool negated);
    void family(const TomlMember& member);
    void add(const Option& option);
    [[nodiscard]] std::optional<OptionOwner> owner_of(const Option& option);
    [[nodiscard]] bool fits(const OptionOwner& owner) const;
    void unknown(const Option& option, const std::vector<OptionOwner>& owners);
    void ambiguous(const Option& option, const std::vector<OptionOwner>& owners);
    [[nodiscard]] std::optional<Words> arguments(const Option& option, bool takes_value);
    void built_in(const Option& option, const Words& arguments);
    void put(Words& words, const Option& option, const Words& arguments);
    void fail(const SourceLocation& where, std::string message) {
        errors_.push_back({where, std::move(message)});
    }

    const TomlValue& table_;
    ConfigErrors& errors_;
    NativeRule rule_;
    std::vector<Option> options_;
    std::string protocol_;
    std::string target_;
    Words built_ins_;
    Words matches_;
    Words target_words_;
    Words target_options_;
    Words loaded_modules_;
};

bool is_protocol_module(std::string_view module) {
    return std::find(kProtocolModules.begin(), kProtocolModules.end(), module) !=
           kProtocolModules.end();
}

// Built-in options and our own keys first: the names of modules' options are many.
std::string nearest_key(std::string_view name) {
    std::vector<std::string> own = {"rule", "family", "not"};
    for (const rules::OptionSpec& spec : rules::built_in_options()) {
        own.emplace_back(spec.name);
    }
    const std::string_view near = nearest(name, {own.begin(), own.end()});
    return std::string(near.empty() ? rules::nearest_option_anywhere(name) : near);
}

std::string text_of(const TomlValue* value) {
    return value != nullptr && value->kind == TomlKind::String ? value->text : "";
}

// A scalar as iptables wants it; nothing for what has no such text.
std::optional<std::string> scalar(const TomlValue& value) {
    switch (value.kind) {
        case TomlKind::String:
            return value.text;
        case TomlKind::Integer:
            return std::to_string(value.integer);
        case TomlKind::Float: {
            std::array<char, 32> buffer{};
            const auto end = std::to_chars(buffer.begin(), buffer.end(), value.number).ptr;
            return std::string(buffer.data(), end);
        }
        default:
            return std::nullopt;
    }
}

Words words_of(std::string_view text) {
    Words words;
    for (const std::string_view part : split(text, ' ')) {
        if (!part.empty()) {
            words.emplace_back(part);
        }
    }
    return words;
}

}  // namespace

std::optional<NativeRule> native_rule(const TomlValue& table, ConfigErrors& errors) {
    return Translator(table, errors).run();
}

namespace {

std::optional<NativeRule> Translator::run() {
    const std::size_t before = errors_.size();
    rule_.where = table_.where;
    if (const TomlMember* member = table_.find("family")) {
        family(*member);
    }
    if (const TomlMember* text = table_.find("rule")) {
        whole_rule(*text);
    } else {
        const TomlMember* protocol = table_.find("protocol");
        protocol = protocol == nullptr ? table_.find("proto") : protocol;
        const TomlMember* jump = table_.find("jump");
        protocol_ = protocol == nullptr ? "" : text_of(&protocol->value);
        target_ = jump == nullptr ? "" : text_of(&jump->value);
        collect(table_, "", false);
        for (const Option& option : options_) {
            add(option);
        }
        for (const Words* part : {&built_ins_, &matches_, &target_words_, &target_options_}) {
            rule_.words.insert(rule_.words.end(), part->begin(), part->end());
        }
    }
    return errors_.size() == before ? std::optional(std::move(rule_)) : std::nullopt;
}

void Translator::family(const TomlMember& member) {
    const std::string name = text_of(&member.value);
    if (name != "ipv4" && name != "ipv6") {
        fail(member.value.where, "family must be \"ipv4\" or \"ipv6\"");
        return;
    }
    rule_.family = name == "ipv4" ? Family::Ipv4 : Family::Ipv6;
}

void Translator::whole_rule(const TomlMember& text) {
    for (const TomlMember& member : table_.members) {
        if (member.key != "rule" && member.key != "family") {
            fail(member.where, "\"" + member.key +
                                   "\" cannot stand beside rule = \"...\", which is a whole rule");
        }
    }
    if (text.value.kind != TomlKind::String) {
        fail(text.value.where, "rule must be a string such as \"-p tcp --dport 80 -j ACCEPT\"");
        return;
    }
    Result<Words, std::string> words = split_line(text.value.text);
    if (!words) {
        fail(text.value.where, "rule: " + words.error());
        return;
    }
    rule_.where = text.value.where;
    rule_.words = std::move(*words);
}

void Translator::collect(const TomlValue& table, const std::string& module, bool negated) {
    for (const TomlMember& member : table.members) {
        if (&table == &table_ && member.key == "family") {
            continue;
        }
        if (member.value.kind != TomlKind::Table) {
            options_.push_back({module, member.key, negated, &member.value, member.where});
        } else if (member.key == "not" && !negated) {
            collect(member.value, module, true);
        } else if (module.empty()) {
            collect(member.value, member.key, negated);
        } else {
            fail(member.where, "\"" + module + "." + member.key +
                                   "\" must be a value; keys are module.option at most");
        }
    }
}

void Translator::add(const Option& option) {
    const std::optional<OptionOwner> owner = owner_of(option);
    if (!owner) {
        return;
    }
    std::optional<Words> given = arguments(option, owner->takes_value);
    if (!given) {
        return;
    }
    if (owner->module.empty()) {
        built_in(option, *given);
        return;
    }
    if (owner->is_target) {
        put(target_options_, option, *given);
        return;
    }
    const auto& loaded = loaded_modules_;
    if (std::find(loaded.begin(), loaded.end(), owner->module) == loaded.end()) {
        loaded_modules_.push_back(owner->module);
        matches_.insert(matches_.end(), {"-m", owner->module});
    }
    put(matches_, option, *given);
}

std::optional<OptionOwner> Translator::owner_of(const Option& option) {
    const std::vector<OptionOwner> owners = rules::owners_of_option(option.name);
    std::vector<OptionOwner> left;
    for (const OptionOwner& owner : owners) {
        if (option.module.empty() ? fits(owner) : owner.module == option.module) {
            left.push_back(owner);
        }
    }
    if (left.empty()) {
        unknown(option, owners);
        return std::nullopt;
    }
    const bool several = std::any_of(left.begin(), left.end(), [&](const OptionOwner& owner) {
        return owner.module != left[0].module;
    });
    if (several) {
        ambiguous(option, left);
        return std::nullopt;
    }
    if (left[0].is_target && left[0].module != target_) {
        fail(option.where, "\"" + option.name + "\" belongs to the target " + left[0].module +
                               ": it needs jump = \"" + left[0].module + "\"");
        return std::nullopt;
    }
    return left[0];
}

// Without a module before the dot: what the rule's protocol and jump rule out is no candidate.
bool Translator::fits(const OptionOwner& owner) const {
    if (owner.module.empty()) {
        return true;
    }
    if (owner.is_target) {
        return owner.module == target_;
    }
    if (!is_protocol_module(owner.module) || protocol_.empty()) {
        return true;
    }
    const bool icmp6 = owner.module == "icmp6" || owner.module == "ipv6-icmp";
    return owner.module == protocol_ ||
           (icmp6 && (protocol_ == "ipv6-icmp" || protocol_ == "icmpv6" || protocol_ == "58"));
}

void Translator::unknown(const Option& option, const std::vector<OptionOwner>& owners) {
    Words modules;
    for (const OptionOwner& owner : owners) {
        modules.push_back(owner.module);
    }
    const std::string name =
        option.module.empty() ? option.name : option.module + "." + option.name;
    if (owners.empty()) {
        const std::string near = nearest_key(option.name);
        fail(option.where, "unknown match or option \"" + name + "\" in a rule; " +
                               (near.empty() ? "keys are iptables' long options, without --"
                                             : "did you mean \"" + near + "\"?"));
    } else if (!option.module.empty()) {
        fail(option.where, "\"" + option.module + "\" has no option \"" + option.name +
                               "\"; it belongs to " + join(modules));
    } else if (owners[0].is_target) {
        fail(option.where, "\"" + name + "\" belongs to the target " + join(modules, " or ") +
                               ", which jump = \"" + target_ + "\" is not");
    } else {
        fail(option.where, "\"" + name + "\" needs protocol = one of " + join(modules));
    }
}

void Translator::ambiguous(const Option& option, const std::vector<OptionOwner>& owners) {
    Words ways;
    bool all_protocols = true;
    for (const OptionOwner& owner : owners) {
        ways.push_back("\"" + owner.module + "." + option.name + "\"");
        all_protocols = all_protocols && is_protocol_module(owner.module);
    }
    fail(option.where, "\"" + option.name + "\" is ambiguous: write " + join(ways, " or ") +
                           (all_protocols ? ", or give the rule a protocol" : ""));
}

std::optional<Words> Translator::arguments(const Option& option, bool takes_value) {
    const TomlValue& value = *option.value;
    if (!takes_value) {
        if (value.kind != TomlKind::Boolean || !value.boolean) {
            fail(value.where, "\"" + option.name + "\" is a flag: write " + option.name +
                                  " = true, or not." + option.name + " = true");
            return std::nullopt;
        }
        return Words{};
    }
    Words texts;
    const bool is_array = value.kind == TomlKind::Array;
    for (const TomlValue* item = is_array ? value.items.data() : &value;
         item != (is_array ? value.items.data() + value.items.size() : &value + 1); ++item) {
        std::optional<std::string> text = scalar(*item);
        if (!text) {
            fail(item->where, "\"" + option.name +
                                  "\" takes a string, a number, or an array of them, not " +
                                  std::string(describe(item->kind)));
            return std::nullopt;
        }
        rule_.origins.push_back({*text, item->where});
        texts.push_back(std::move(*text));
    }
    if (texts.empty()) {
        fail(value.where, "\"" + option.name + "\" must not be empty");
        return std::nullopt;
    }
    const bool two = std::find(kTwoWords.begin(), kTwoWords.end(), option.name) != kTwoWords.end();
    if (two) {
        return texts.size() == 1 ? words_of(texts[0]) : texts;
    }
    return Words{join(texts, ",")};
}

void Translator::built_in(const Option& option, const Words& arguments) {
    if (option.name == "in-interface" || option.name == "out-interface") {
        rule_.interfaces.push_back({arguments.empty() ? "" : arguments[0], option.value->where});
    }
    const bool leads_on = option.name == "jump" || option.name == "goto";
    put(leads_on ? target_words_ : built_ins_, option, arguments);
}

void Translator::put(Words& words, const Option& option, const Words& arguments) {
    if (option.negated) {
        words.emplace_back("!");
    }
    words.push_back("--" + option.name);
    rule_.origins.push_back({words.back(), option.where});
    words.insert(words.end(), arguments.begin(), arguments.end());
}

}  // namespace
}  // namespace nsr::router
