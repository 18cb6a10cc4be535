#include "router/tools/ip/rule_words.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "router/tools/ip/values.hpp"
#include "router/tools/ip/word_reader.hpp"

namespace nsr::router {
namespace {

using Parsed = Result<IpArgs, std::string>;
using routing::PolicyRule;
using routing::PortRange;
using routing::RuleAction;
using routing::RuleQuery;

std::string set_prefix(const std::string& value, Prefix& into) {
    if (value == "all" || value == "any" || value == "default") {
        return {};
    }
    const auto prefix = parse_prefix(value);
    into = prefix.value_or(Prefix{}).network();
    return prefix ? "" : "Error: any valid prefix is expected rather than \"" + value + "\".";
}

// A mark that is not zero is compared as a whole, unless there is a mask. kernel: fib_nl2rule
std::string set_mark(const std::string& value, PolicyRule& rule) {
    const std::size_t slash = value.find('/');
    const auto mark = parse_number(std::string_view(value).substr(0, slash));
    const auto mask = slash == std::string::npos
                          ? std::optional<std::uint32_t>(mark.value_or(0) == 0 ? 0 : 0xffffffff)
                          : parse_number(std::string_view(value).substr(slash + 1));
    if (!mark || !mask) {
        return wrong_argument(value, "fwmark value is invalid");
    }
    rule.mark = *mark;
    rule.mark_mask = *mask;
    return {};
}

std::string set_ports(const std::string& value, const char* word, PortRange& into) {
    const std::size_t dash = value.find('-');
    const auto first = parse_number(std::string_view(value).substr(0, dash), 0xffff);
    const auto last = dash == std::string::npos
                          ? first
                          : parse_number(std::string_view(value).substr(dash + 1), 0xffff);
    if (!first || !last || *first == 0 || *first > *last) {
        return wrong_argument(value, "invalid " + std::string(word));
    }
    into = {static_cast<Port>(*first), static_cast<Port>(*last)};
    return {};
}

std::string set_table(const std::string& value, RuleQuery& query) {
    const auto table = parse_table(value);
    query.like.table = table.value_or(0);
    query.like.action = RuleAction::Table;
    query.any_action = false;
    return table ? "" : wrong_argument(value, "invalid table ID");
}

std::string set_action(RuleAction action, RuleQuery& query) {
    query.like.action = action;
    query.any_action = false;
    return {};
}

std::string set_goto(const std::string& value, RuleQuery& query) {
    const auto target = parse_number(value);
    query.like.target = target.value_or(0);
    return target ? set_action(RuleAction::Goto, query) : wrong_argument(value, "invalid target");
}

std::string set_priority(const std::string& value, RuleQuery& query) {
    query.priority = parse_number(value);
    return query.priority ? "" : wrong_argument(value, "preference value is invalid");
}

std::string set_tos(const std::string& value, PolicyRule& rule) {
    const auto tos = parse_tos(value);
    rule.tos = tos.value_or(0);
    return tos ? "" : wrong_argument(value, "TOS value is invalid");
}

std::string set_protocol(const std::string& value, PolicyRule& rule) {
    const auto protocol = parse_protocol(value);
    rule.protocol = protocol.value_or(0);
    return protocol ? "" : wrong_argument(value, "Invalid \"ipproto\" value");
}

std::string set_suppressed(const std::string& value, PolicyRule& rule) {
    const auto length = parse_number(value, 128);
    rule.suppress_prefixlength = static_cast<int>(length.value_or(0));
    return length ? "" : wrong_argument(value, "suppress_prefixlength value is invalid");
}

struct Word {
    std::string_view name;
    bool takes_value;
    std::string (*set)(const std::string& value, RuleQuery& query);
};
using Value = const std::string&;
constexpr Word kWords[] = {
    {"not", false,
     [](Value, RuleQuery& query) {
         query.like.inverted = true;
         return std::string();
     }},
    {"from", true, [](Value value, RuleQuery& q) { return set_prefix(value, q.like.from); }},
    {"to", true, [](Value value, RuleQuery& q) { return set_prefix(value, q.like.to); }},
    {"fwmark", true, [](Value value, RuleQuery& q) { return set_mark(value, q.like); }},
    {"iif", true,
     [](Value value, RuleQuery& query) {
         query.like.in = value;
         return std::string();
     }},
    {"oif", true,
     [](Value value, RuleQuery& query) {
         query.like.out = value;
         return std::string();
     }},
    {"tos", true, [](Value value, RuleQuery& q) { return set_tos(value, q.like); }},
    {"dsfield", true, [](Value value, RuleQuery& q) { return set_tos(value, q.like); }},
    {"ipproto", true, [](Value value, RuleQuery& q) { return set_protocol(value, q.like); }},
    {"sport", true,
     [](Value value, RuleQuery& q) { return set_ports(value, "sport", q.like.source_ports); }},
    {"dport", true,
     [](Value value, RuleQuery& q) { return set_ports(value, "dport", q.like.destination_ports); }},
    {"priority", true, set_priority},
    {"preference", true, set_priority},
    {"pref", true, set_priority},
    {"prio", true, set_priority},
    {"order", true, set_priority},
    {"table", true, set_table},
    {"lookup", true, set_table},
    {"suppress_prefixlength", true,
     [](Value value, RuleQuery& q) { return set_suppressed(value, q.like); }},
    {"goto", true, set_goto},
    {"nop", false, [](Value, RuleQuery& q) { return set_action(RuleAction::Nop, q); }},
    {"blackhole", false, [](Value, RuleQuery& q) { return set_action(RuleAction::Blackhole, q); }},
    {"prohibit", false, [](Value, RuleQuery& q) { return set_action(RuleAction::Prohibit, q); }},
    {"unreachable", false,
     [](Value, RuleQuery& q) { return set_action(RuleAction::Unreachable, q); }},
};

// Those of ip(8) that nobody here looks at.
constexpr std::string_view kNotSupported[] = {"l3mdev", "realms",   "uidrange",         "tun_id",
                                              "nat",    "protocol", "suppress_ifgroup", "map-to"};

// What chooses rules to show or to flush. iprule_list_flush_or_save
constexpr std::string_view kSelectors[] = {
    "not",   "from",  "to",       "fwmark",     "iif",  "oif",  "tos",   "dsfield", "ipproto",
    "sport", "dport", "priority", "preference", "pref", "prio", "order", "table",   "lookup"};

constexpr const char* kActionsExclude =
    "Error: a rule takes only one of table, goto, nop, blackhole, prohibit and unreachable.";

bool is_one_of(std::string_view word, std::span<const std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

const Word* find_word(std::string_view name) {
    const auto found = std::find_if(std::begin(kWords), std::end(kWords),
                                    [&](const Word& each) { return each.name == name; });
    return found == std::end(kWords) ? nullptr : &*found;
}

}  // namespace

bool takes_no_value(std::string_view word) {
    const Word* known = find_word(word);
    return known != nullptr && !known->takes_value;
}

std::string set_rule_word(std::string_view word, const std::string& value, RuleQuery& query) {
    const Word* known = find_word(word);
    if (is_one_of(word, kNotSupported)) {
        return "Error: \"" + std::string(word) + "\" of rules is not supported.";
    }
    return known != nullptr
               ? known->set(value, query)
               : "Error: argument \"" + std::string(word) +
                     "\" is wrong: a rule takes not, from, to, fwmark, iif, oif, tos, ipproto, "
                     "sport, dport, priority, suppress_prefixlength, and table, goto, nop, "
                     "blackhole, prohibit or unreachable";
}

std::string finish_rule(RuleQuery& query) {
    PolicyRule& rule = query.like;
    for (const Prefix* prefix : {&rule.from, &rule.to}) {
        if (prefix->length != 0 && prefix->address.family != rule.family) {
            return "Error: " + to_string(*prefix) + " is of another family than the rule.";
        }
    }
    return wrong_tos(rule.tos, rule.family);
}

// A rule that says nothing of where to look means the main table. kernel: iprule_modify
Parsed parse_rule_words(IpArgs args, std::span<const std::string> rest) {
    if (rest.empty()) {
        const bool add = args.action == IpAction::RuleAdd;
        return std::string("\"ip rule ") + (add ? "add" : "del") + "\" requires arguments.";
    }
    RuleQuery& query = args.rule;
    query.any_action = true;
    WordReader words(rest);
    while (words.more()) {
        const std::string word = words.take();
        const std::string value =
            find_word(word) == nullptr || takes_no_value(word) ? "" : words.take();
        const bool has_action = !query.any_action;
        const RuleAction action = query.like.action;
        if (const std::string wrong = set_rule_word(word, value, query); !wrong.empty()) {
            words.fail(wrong);
        }
        if (has_action && query.like.action != action) {
            words.fail(kActionsExclude);
        }
    }
    if (!words.error().empty()) {
        return words.error();
    }
    PolicyRule& rule = query.like;
    const Prefix& told = rule.from.length != 0 ? rule.from : rule.to;
    const Family by_prefix = told.length != 0 ? told.address.family : Family::Ipv4;
    rule.family = args.family == Family::None ? by_prefix : args.family;
    if (query.any_action && args.action == IpAction::RuleAdd) {
        rule.table = routing::kMainTable;
    }
    const std::string wrong = finish_rule(query);
    return wrong.empty() ? Parsed(std::move(args)) : Parsed(wrong);
}

// A word that is none of them is a prefix, as behind `from`.
Parsed parse_rule_selection(IpArgs args, std::span<const std::string> rest) {
    RuleQuery& query = args.rule;
    query.any_action = true;
    query.like.family = args.family == Family::None ? Family::Ipv4 : args.family;
    WordReader words(rest);
    while (words.more()) {
        const std::string word = words.take();
        const bool selects = is_one_of(word, kSelectors);
        const bool has_value = selects && !takes_no_value(word);
        const std::string value = has_value ? words.take() : word;
        const bool refused = is_one_of(word, kNotSupported);
        if (words.error().empty()) {
            words.fail(set_rule_word(selects || refused ? word : "from", value, query));
        }
        if (word == "fwmark" && value.find('/') == std::string::npos) {
            query.like.mark_mask = 0;  // any
        }
    }
    const std::string wrong = words.error().empty() ? finish_rule(query) : words.error();
    return wrong.empty() ? Parsed(std::move(args)) : Parsed(wrong);
}

}  // namespace nsr::router
