#include "router/observe/filter.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/words.hpp"
#include "core/packet/hook.hpp"
#include "core/rules/table_id.hpp"

namespace nsr::router {
namespace {

using Strings = std::vector<std::string>;

bool contains(const Strings& values, const std::string& value) {
    return std::find(values.begin(), values.end(), value) != values.end();
}

std::optional<std::uint32_t> number_in(std::string_view text) {
    const bool hex = text.starts_with("0x");
    text.remove_prefix(hex ? 2 : 0);
    std::uint32_t value = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, value, hex ? 16 : 10);
    return read.ec == std::errc() && read.ptr == end ? std::optional(value) : std::nullopt;
}

std::string joined(const std::vector<std::string_view>& words) {
    std::string list;
    for (const std::string_view word : words) {
        list.append(list.empty() ? "" : ", ").append(word);
    }
    return list;
}

// Values as they are compared; nothing: there is no such value.
using Values = std::vector<std::string_view>;
const Values& states() {
    static const Values kStates = {"NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"};
    return kStates;
}
const Values& hooks() {
    static const Values kHooks = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"};
    return kHooks;
}
const Values& tables() {
    static const Values kTables = {"raw", "mangle", "nat", "filter", "security"};
    return kTables;
}
const Values& verdicts() {
    static const Values kVerdicts = {"left", "delivered", "kept", "dropped", "evicted", "nothing"};
    return kVerdicts;
}
const Values& changes() {
    static const Values kChanges = {"any", "now_dropped", "now_accepted", "evicted"};
    return kChanges;
}
const Values& reasons() {
    static const Values kReasons = [] {
        Values names = {"any"};
        for (const DropReasonRow& row : kDropReasons) {
            names.push_back(row.name);
        }
        return names;
    }();
    return kReasons;
}
const Values& yes_or_no() {
    static const Values kWords = {"yes", "no"};
    return kWords;
}

bool rule_fits(const Subject& subject, const std::string& value) {
    return std::any_of(subject.rules.begin(), subject.rules.end(), [&](const std::string& rule) {
        return rule == value || rule.starts_with(value + ":");
    });
}

bool change_fits(const Subject& subject, const std::string& value) {
    return value == "any" ? !subject.change.empty() : subject.change == value;
}

bool is_number(std::uint32_t has, const std::string& value) {
    return number_in(value) == has;
}

bool reason_fits(const Subject& subject, const std::string& value) {
    return value == "any" ? !subject.reason.empty() : subject.reason == value;
}

bool connection_fits(const Subject& subject, const std::string& value) {
    return subject.connection && number_in(value) == *subject.connection;
}

}  // namespace

struct Filter::Key {
    std::string_view name;
    const Values& (*known)();  // null: any text, or a number
    bool number;
    bool (*fits)(const Subject& subject, const std::string& value);
};

namespace {

constexpr std::array kKeys = {
    Filter::Key{"state", states, false,
                [](const Subject& s, const std::string& v) { return s.state == v; }},
    Filter::Key{"in", nullptr, false,
                [](const Subject& s, const std::string& v) { return s.in == v; }},
    Filter::Key{"out", nullptr, false,
                [](const Subject& s, const std::string& v) { return contains(s.out, v); }},
    Filter::Key{"hook", hooks, false,
                [](const Subject& s, const std::string& v) { return contains(s.hooks, v); }},
    Filter::Key{"table", tables, false,
                [](const Subject& s, const std::string& v) { return contains(s.tables, v); }},
    Filter::Key{"chain", nullptr, false,
                [](const Subject& s, const std::string& v) { return contains(s.chains, v); }},
    Filter::Key{"rule", nullptr, false, rule_fits},
    Filter::Key{"verdict", verdicts, false,
                [](const Subject& s, const std::string& v) { return s.verdict == v; }},
    Filter::Key{"reason", reasons, false, reason_fits},
    Filter::Key{"change", changes, false, change_fits},
    Filter::Key{"zone", nullptr, true,
                [](const Subject& s, const std::string& v) { return is_number(s.zone, v); }},
    Filter::Key{"mark", nullptr, true,
                [](const Subject& s, const std::string& v) { return is_number(s.mark, v); }},
    Filter::Key{"connection", nullptr, true, connection_fits},
    Filter::Key{"traced", yes_or_no, false,
                [](const Subject& s, const std::string& v) { return s.traced == (v == "yes"); }},
};

// "state" of "!state:NEW"; empty: this is no word of ours but the beginning of an expression.
std::string_view key_in(std::string_view word) {
    word.remove_prefix(word.starts_with('!') ? 1 : 0);
    const std::size_t colon = word.find(':');
    const bool begins = colon != std::string_view::npos && colon != 0 &&
                        std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(colon),
                                    [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
    return begins ? word.substr(0, colon) : std::string_view();
}

const Filter::Key* find_key(std::string_view name) {
    const auto* key = std::find_if(kKeys.begin(), kKeys.end(),
                                   [&](const Filter::Key& each) { return each.name == name; });
    return key == kKeys.end() ? nullptr : key;
}

std::string unknown_key(std::string_view name) {
    std::vector<std::string_view> names;
    for (const Filter::Key& key : kKeys) {
        names.push_back(key.name);
    }
    return "there is no word \"" + std::string(name) + ":\"" + did_you_mean(name, names) +
           "; known: " + joined(names);
}

// The spelling that is compared; nothing: no value of this key.
std::optional<std::string> value_for(const Filter::Key& key, std::string_view given) {
    if (given.empty()) {
        return std::nullopt;
    }
    if (key.known == nullptr) {
        return key.number && !number_in(given) ? std::nullopt : std::optional(std::string(given));
    }
    for (const std::string_view known : key.known()) {
        if (lower(known) == lower(given)) {
            return std::string(known);
        }
    }
    return std::nullopt;
}

std::string unknown_value(const Filter::Key& key, std::string_view given) {
    const std::string what = std::string(key.name) + ": ";
    if (given.empty()) {
        return what + "a value is missing";
    }
    const std::string quoted = "\"" + std::string(given.substr(0, 60)) + "\"";
    if (key.known == nullptr) {
        return what + quoted + " is no number";
    }
    return what + "there is no " + quoted + did_you_mean(given, key.known()) +
           "; known: " + joined(key.known());
}

std::string verdict_text(const observe::Observation& seen) {
    return std::string(observe::name_of(seen.fate));
}

void add_once(Strings& values, std::string value) {
    if (!value.empty() && !contains(values, value)) {
        values.push_back(std::move(value));
    }
}

// What each kind of step says about the packet.
struct Collect {
    Subject& subject;

    void place(const observe::Place& at) const {
        add_once(subject.hooks, std::string(nsr::name_of(at.hook)));
    }
    void operator()(const observe::RuleStep& step) const {
        place(step.place);
        if (step.matched) {
            add_once(subject.tables, std::string(rules::name_of(step.table)));
            add_once(subject.chains, step.chain);
            add_once(subject.rules, nsr::to_string(step.where));
        }
    }
    void operator()(const observe::PolicyStep& step) const {
        place(step.place);
        add_once(subject.tables, std::string(rules::name_of(step.table)));
        add_once(subject.chains, step.chain);
    }
    void operator()(const observe::TrackedStep& step) const {
        place(step.place);
        subject.state = observe::name_of(step.info);
        if (step.after) {
            subject.connection = raw(step.after->id);
        }
    }
    void operator()(const observe::TranslatedStep& step) const { place(step.place); }
    void operator()(const observe::ConfirmedStep& step) const { place(step.place); }
    void operator()(const observe::KeptStep& step) const { place(step.place); }
    void operator()(const observe::RoutedStep& step) const {
        add_once(subject.out, step.interface);
    }
    void operator()(const observe::DeliveredStep&) const {}
    void operator()(const observe::CausedStep&) const {}
    void operator()(const observe::DroppedStep& step) const {
        subject.reason = nsr::name_of(step.reason);
    }
    void operator()(const observe::LeftStep& step) const { add_once(subject.out, step.interface); }
};

}  // namespace

Subject subject_of(const observe::Observation& seen) {
    Subject subject;
    subject.in = seen.in;
    subject.verdict = verdict_text(seen);
    subject.zone = seen.zone;
    subject.mark = seen.mark;
    subject.traced = seen.traced;
    for (const observe::Step& step : seen.steps) {
        std::visit(Collect{subject}, step);
    }
    return subject;
}

Result<Filter, FilterError> Filter::parse(std::string_view text) {
    Filter filter;
    std::size_t at = 0;
    while ((at = std::min(text.find_first_not_of(" \t\n", at), text.size())) < text.size()) {
        const std::size_t end = std::min(text.find_first_of(" \t\n", at), text.size());
        const std::string_view word = text.substr(at, end - at);
        const std::string_view name = key_in(word);
        const bool an_address =
            !name.empty() && find_key(name) == nullptr && parse_address(word).has_value();
        if (name.empty() || an_address) {
            break;
        }
        const Key* key = find_key(name);
        if (key == nullptr) {
            return FilterError{at + 1, unknown_key(name)};
        }
        Word made{key, word.starts_with('!'), {}};
        std::size_t column =
            at + static_cast<std::size_t>(name.data() - word.data()) + name.size() + 2;
        for (const std::string_view given : split(word.substr(column - 1 - at), ',')) {
            const auto value = value_for(*key, given);
            if (!value) {
                return FilterError{column, unknown_value(*key, given)};
            }
            made.values.push_back(*value);
            column += given.size() + 1;
        }
        filter.words_.push_back(std::move(made));
        at = end;
    }
    auto expression = PacketFilter::compile(text.substr(at), at + 1);
    if (!expression) {
        return expression.error();
    }
    filter.expression_ = std::move(*expression);
    return filter;
}

bool Filter::fits(const Subject& subject) const {
    return std::all_of(words_.begin(), words_.end(), [&](const Word& word) {
        const bool any =
            std::any_of(word.values.begin(), word.values.end(),
                        [&](const std::string& value) { return word.key->fits(subject, value); });
        return any != word.inverted;
    });
}

std::string to_string(const FilterError& error) {
    return "filter: column " + std::to_string(error.column) + ": " + error.message;
}

}  // namespace nsr::router
