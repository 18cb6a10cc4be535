#include "router/tools/ip/route_words.hpp"

#include <algorithm>
#include <iterator>

#include "router/tools/ip/values.hpp"
#include "router/tools/ip/word_reader.hpp"

namespace nsr::router {
namespace {

using Rest = std::span<const std::string>;
using Parsed = Result<IpArgs, std::string>;

std::optional<IpAddress> take_address(WordReader& words, const char* key) {
    const std::string text = words.take();
    const auto address = parse_address(text);
    if (!address) {
        words.fail(std::string(key) + " needs an address, not \"" + text + "\"");
    }
    return address;
}

std::uint32_t take_number(WordReader& words, const char* key, std::uint32_t most = 0xffffffff) {
    const std::string text = words.take();
    const auto number = parse_number(text, most);
    if (!number) {
        words.fail(wrong_argument(text, "\"" + std::string(key) + "\" value is invalid"));
    }
    return number.value_or(0);
}

std::uint8_t take_tos(WordReader& words) {
    const std::string text = words.take();
    const auto tos = parse_tos(text);
    if (!tos) {
        words.fail(wrong_argument(text, "TOS value is invalid"));
    }
    return tos.value_or(0);
}

// The local table is the router's own business.
std::uint32_t take_table(WordReader& words) {
    const std::string text = words.take();
    const auto table = parse_table(text);
    if (!table) {
        words.fail(wrong_argument(text, "\"table\" value is invalid"));
    } else if (*table == routing::kLocalTable) {
        words.fail("the table local follows the addresses; routes there cannot be changed");
    }
    return table.value_or(0);
}

void take_mtu(WordReader& words, routing::Route& route) {
    route.mtu_locked = words.take_if("lock");
    route.mtu = take_number(words, "mtu", kMostMtu);
    if (words.error().empty() && route.mtu < kLeastMtu) {
        words.fail("mtu of a route is from " + std::to_string(kLeastMtu) + " to " +
                   std::to_string(kMostMtu) + ", not " + std::to_string(route.mtu));
    }
}

// Between two `nexthop`.
HopWords take_hop(WordReader& words) {
    HopWords hop;
    while (words.more() && words.peek() != "nexthop") {
        const std::string word = words.take();
        if (word == "via") {
            hop.via = take_address(words, "via");
        } else if (word == "dev") {
            hop.interface = words.take();
        } else if (word == "onlink") {
            hop.onlink = true;
        } else if (word == "weight") {
            const std::uint32_t weight = take_number(words, "weight", 256);
            hop.weight = static_cast<std::uint16_t>(weight);
            if (weight == 0) {
                words.fail(wrong_argument("0", "\"weight\" value is invalid"));
            }
        } else {
            words.fail("unexpected \"" + word + "\"; nexthop takes via, dev, weight and onlink");
        }
    }
    return hop;
}

// The words that say more of a route, and how each is read.
struct Word {
    std::string_view name;
    void (*take)(WordReader& words, IpArgs& args);
};
constexpr Word kWords[] = {
    {"via", [](WordReader& words, IpArgs& args) { args.via = take_address(words, "via"); }},
    {"dev", [](WordReader& words, IpArgs& args) { args.interface = words.take(); }},
    {"table", [](WordReader& words, IpArgs& args) { args.route.table = take_table(words); }},
    {"metric",
     [](WordReader& words, IpArgs& args) { args.route.metric = take_number(words, "metric"); }},
    {"priority",
     [](WordReader& words, IpArgs& args) { args.route.metric = take_number(words, "metric"); }},
    {"preference",
     [](WordReader& words, IpArgs& args) { args.route.metric = take_number(words, "metric"); }},
    {"tos", [](WordReader& words, IpArgs& args) { args.route.tos = take_tos(words); }},
    {"dsfield", [](WordReader& words, IpArgs& args) { args.route.tos = take_tos(words); }},
    {"src",
     [](WordReader& words, IpArgs& args) { args.route.source = take_address(words, "src"); }},
    {"mtu", [](WordReader& words, IpArgs& args) { take_mtu(words, args.route); }},
    {"onlink", [](WordReader&, IpArgs& args) { args.route.onlink = true; }},
    {"nexthop", [](WordReader& words, IpArgs& args) { args.hops.push_back(take_hop(words)); }},
    // Who made a route and how far it reaches: nothing here asks for that.
    {"proto", [](WordReader& words, IpArgs&) { words.take(); }},
    {"protocol", [](WordReader& words, IpArgs&) { words.take(); }},
    {"scope", [](WordReader& words, IpArgs&) { words.take(); }},
    {"pref", [](WordReader& words, IpArgs&) { words.take(); }},
};

// `default` is of the family of the gateway, else of the one asked for, else IPv4.
std::optional<Prefix> destination(const std::string& text, const IpArgs& args) {
    if (text != "default" && text != "any" && text != "all") {
        return parse_prefix(text);
    }
    auto via = args.via;
    if (!args.hops.empty()) {
        via = args.hops.front().via;
    }
    const bool v6 = via ? via->is_v6() : args.family == Family::Ipv6;
    return Prefix{{{}, v6 ? Family::Ipv6 : Family::Ipv4}, 0};
}

// The destination is the word that is none of the others, wherever it stands.
void take_route_word(WordReader& words, IpArgs& args, std::string& to) {
    const std::string word = words.take();
    const auto known = std::find_if(std::begin(kWords), std::end(kWords),
                                    [&](const Word& each) { return each.name == word; });
    if (known != std::end(kWords)) {
        known->take(words, args);
    } else if (word == "local" || word == "broadcast" || word == "anycast") {
        words.fail("routes of type " + word + " follow the addresses; they cannot be changed");
    } else if (to.empty()) {
        to = word == "to" ? words.take() : word;
    } else {
        words.fail("unexpected \"" + word +
                   "\"; a route takes via, dev, table, metric, tos, src, mtu, onlink and nexthop");
    }
}

// What is missing, or too much; empty: nothing.
std::string judge(const IpArgs& args) {
    const bool unicast = args.type == routing::RouteType::Unicast;
    const bool has_way = args.via || !args.interface.empty() || !args.hops.empty();
    if (args.action != IpAction::RouteDel && unicast && !has_way) {
        return "a route needs via ADDRESS, dev NAME, nexthop or a type";
    }
    if (args.route.onlink && args.interface.empty()) {
        return "Error: Nexthop device required for onlink.";
    }
    return wrong_tos(args.route.tos, Family::Ipv4);
}

}  // namespace

Parsed parse_route_words(IpArgs args, Rest rest) {
    if (const auto type = rest.empty() ? std::nullopt : parse_route_type(rest[0])) {
        args.type = *type;
        rest = rest.subspan(1);
    }
    WordReader words(rest);
    std::string text;
    while (words.more()) {
        take_route_word(words, args, text);
    }
    if (!words.error().empty()) {
        return words.error();
    }
    if (text.empty()) {
        return std::string("a route needs a destination: a prefix or `default`");
    }
    const std::optional<Prefix> prefix = destination(text, args);
    if (!prefix || !(prefix->network() == *prefix)) {
        return "\"" + text + "\" is no destination; write `default` or a prefix without host bits";
    }
    args.prefix = *prefix;
    args.route.type = args.type;
    const std::string wrong = judge(args);
    return wrong.empty() ? Parsed(std::move(args)) : Parsed(wrong);
}

namespace {

void take_selected_table(WordReader& words, RouteSelection& selection) {
    if (words.take_if("all")) {
        selection.table.reset();
    } else {
        const std::string text = words.take();
        selection.table = parse_table(text);
        if (!selection.table) {
            words.fail(wrong_argument(text, "table id value is invalid"));
        }
    }
}

std::optional<routing::RouteType> take_type(WordReader& words) {
    const std::string text = words.take();
    const auto type = parse_route_type(text);
    if (!type) {
        words.fail(wrong_argument(text, "node type value is invalid"));
    }
    return type;
}

std::uint8_t take_protocol(WordReader& words) {
    const std::string text = words.take();
    const auto protocol = parse_protocol(text);
    if (!protocol) {
        words.fail(wrong_argument(text, "Invalid \"ipproto\" value"));
    }
    return protocol.value_or(0);
}

// [to] [root|match|exact] PREFIX
void take_selected_prefix(const std::string& first, WordReader& words, IpArgs& args) {
    using By = RouteSelection::By;
    constexpr std::pair<std::string_view, By> kWays[] = {
        {"root", By::Root}, {"match", By::Match}, {"exact", By::Exact}};
    std::string text = first == "to" ? words.take() : first;
    for (const auto& [name, by] : kWays) {
        if (text == name) {
            args.selection.by = by;
            text = words.take();
            break;
        }
    }
    args.selection.to = destination(text, args);
    if (!args.selection.to) {
        words.fail("unexpected \"" + text +
                   "\"; routes are chosen by [root|match|exact] PREFIX, dev, via, table and type");
    }
}

}  // namespace

Parsed parse_route_selection(IpArgs args, Rest rest) {
    if (rest.empty() && args.action == IpAction::RouteFlush) {
        return std::string("\"ip route flush\" requires arguments.");
    }
    WordReader words(rest);
    while (words.more()) {
        const std::string word = words.take();
        if (word == "dev") {
            args.interface = words.take();
        } else if (word == "via") {
            args.selection.via = take_address(words, "via");
        } else if (word == "table") {
            take_selected_table(words, args.selection);
        } else if (word == "type") {
            args.selection.type = take_type(words);
        } else if (word == "cache") {  // there is none
            args.selection.type = routing::RouteType::Unicast;
            args.selection.to = Prefix{{{}, Family::None}, 0};
        } else {
            take_selected_prefix(word, words, args);
        }
    }
    if (!words.error().empty()) {
        return words.error();
    }
    if (args.family == Family::None && args.selection.to) {
        args.family = args.selection.to->address.family;
    }
    return args;
}

Parsed parse_route_question(IpArgs args, Rest rest) {
    if (rest.empty()) {
        return std::string("need at least a destination address");
    }
    RouteQuestion& question = args.question;
    WordReader words(rest);
    words.take_if("to");
    const auto to = take_address(words, "route get");
    question.flow.destination = to.value_or(IpAddress{});
    while (words.more()) {
        const std::string word = words.take();
        if (word == "from") {
            question.flow.source = take_address(words, "from").value_or(IpAddress{});
        } else if (word == "iif") {
            question.in = words.take();
        } else if (word == "oif" || word == "dev") {
            question.out = words.take();
        } else if (word == "mark") {
            question.flow.mark = take_number(words, "mark");
        } else if (word == "tos" || word == "dsfield") {
            question.flow.tos = take_tos(words);
        } else if (word == "ipproto") {
            question.flow.protocol = take_protocol(words);
        } else if (word == "sport") {
            question.flow.source_port = static_cast<Port>(take_number(words, "sport", 0xffff));
        } else if (word == "dport") {
            question.flow.destination_port = static_cast<Port>(take_number(words, "dport", 0xffff));
        } else {
            words.fail("unexpected \"" + word +
                       "\"; route get takes from, iif, oif, mark, tos, ipproto, sport and dport");
        }
    }
    return words.error().empty() ? Parsed(std::move(args)) : Parsed(words.error());
}

}  // namespace nsr::router
