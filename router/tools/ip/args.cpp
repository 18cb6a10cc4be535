#include "router/tools/ip/args.hpp"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "router/base/text_file.hpp"
#include "router/tools/ip/route_words.hpp"
#include "router/tools/ip/rule_words.hpp"
#include "router/tools/ip/values.hpp"
#include "router/tools/ip/word_reader.hpp"

namespace nsr::router {
namespace {

using Words = std::vector<std::string>;
using Rest = std::span<const std::string>;
using Parsed = Result<IpArgs, std::string>;

constexpr const char* kUsage =
    "write `addr add|del PREFIX dev NAME`, `route add|append|replace|change|del [TYPE] PREFIX [via "
    "ADDRESS] [dev NAME] ...`, `route get|flush ...`, `rule add|del|flush ...`, `link set [dev] "
    "NAME "
    "[mtu N] [up|down]`, or `addr|route|rule|link show`";

// One row per object and verb; the first that the words abbreviate is meant.
struct Command {
    std::string_view object;
    std::string_view verb;
    IpAction action;
    Parsed (*parse)(IpArgs args, Rest words);
};

Parsed parse_address(IpArgs args, Rest words);
Parsed parse_link(IpArgs args, Rest words);
Parsed parse_device(IpArgs args, Rest words);
Parsed parse_nothing(IpArgs args, Rest words);

constexpr Command kCommands[] = {
    {"address", "add", IpAction::AddressAdd, parse_address},
    {"address", "delete", IpAction::AddressDel, parse_address},
    {"address", "show", IpAction::AddressShow, parse_device},
    {"address", "list", IpAction::AddressShow, parse_device},
    {"route", "add", IpAction::RouteAdd, parse_route_words},
    {"route", "append", IpAction::RouteAppend, parse_route_words},
    {"route", "change", IpAction::RouteChange, parse_route_words},
    {"route", "chg", IpAction::RouteChange, parse_route_words},
    {"route", "replace", IpAction::RouteReplace, parse_route_words},
    {"route", "delete", IpAction::RouteDel, parse_route_words},
    {"route", "get", IpAction::RouteGet, parse_route_question},
    {"route", "show", IpAction::RouteShow, parse_route_selection},
    {"route", "list", IpAction::RouteShow, parse_route_selection},
    {"route", "flush", IpAction::RouteFlush, parse_route_selection},
    {"rule", "add", IpAction::RuleAdd, parse_rule_words},
    {"rule", "delete", IpAction::RuleDel, parse_rule_words},
    {"rule", "show", IpAction::RuleShow, parse_rule_selection},
    {"rule", "list", IpAction::RuleShow, parse_rule_selection},
    {"rule", "lst", IpAction::RuleShow, parse_rule_selection},
    {"rule", "flush", IpAction::RuleFlush, parse_rule_selection},
    {"link", "set", IpAction::LinkSet, parse_link},
    {"link", "show", IpAction::LinkShow, parse_device},
    {"link", "list", IpAction::LinkShow, parse_device},
};

Family take_family(Rest& words);

}  // namespace

Parsed parse_ip_args(const Words& all) {
    Rest words(all);
    IpArgs args;
    args.family = take_family(words);
    if (words.empty()) {
        return std::string(kUsage);
    }
    const std::string& object = words[0];
    const std::string verb = words.size() > 1 ? words[1] : "show";
    const auto command =
        std::find_if(std::begin(kCommands), std::end(kCommands), [&](const Command& each) {
            return !object.empty() && !verb.empty() && each.object.starts_with(object) &&
                   each.verb.starts_with(verb);
        });
    if (command == std::end(kCommands)) {
        return std::string(kUsage);
    }
    args.action = command->action;
    return command->parse(std::move(args), words.subspan(std::min<std::size_t>(2, words.size())));
}

Parsed parse_ip_args(std::string_view line) {
    const Result<Words, std::string> words = split_line(line);
    return words ? parse_ip_args(*words) : Parsed(words.error());
}

namespace {

Family take_family(Rest& words) {
    if (words.empty() || (words[0] != "-4" && words[0] != "-6")) {
        return Family::None;
    }
    const Family family = words[0] == "-4" ? Family::Ipv4 : Family::Ipv6;
    words = words.subspan(1);
    return family;
}

// The broadcast address of a network is its last one; labels and scopes nobody asks for.
bool is_without_effect(std::string_view word) {
    return word == "label" || word == "brd" || word == "broadcast" || word == "scope";
}

Parsed parse_address(IpArgs args, Rest words) {
    const std::string text = words.empty() ? std::string() : words[0];
    const std::optional<Prefix> prefix = parse_prefix(text);
    if (!prefix) {
        return "\"" + text + "\" is no address; write ADDRESS/LENGTH";
    }
    args.prefix = *prefix;
    args.any_length = prefix->address.is_v4() && text.find('/') == std::string::npos;
    WordReader more(words.subspan(std::min<std::size_t>(1, words.size())));
    while (more.more()) {
        const std::string word = more.take();
        if (word == "dev") {
            args.interface = more.take();
        } else if (is_without_effect(word)) {
            more.take();
        } else if (word != "nodad") {  // nobody here looks for duplicates
            more.fail("unexpected \"" + word + "\"; an address needs `dev NAME`");
        }
    }
    if (!more.error().empty()) {
        return more.error();
    }
    return args.interface.empty() ? Parsed(std::string("an address needs `dev NAME`"))
                                  : Parsed(std::move(args));
}

// The name of a device, with or without `dev` before it; empty if there is none.
std::string take_device(Rest& words) {
    if (!words.empty() && words[0] == "dev") {
        words = words.subspan(1);
    }
    std::string name = words.empty() ? std::string() : words[0];
    words = words.subspan(std::min<std::size_t>(1, words.size()));
    return name;
}

Parsed parse_device(IpArgs args, Rest words) {
    args.interface = take_device(words);
    return parse_nothing(std::move(args), words);
}

Parsed parse_nothing(IpArgs args, Rest words) {
    if (!words.empty()) {
        return "unexpected \"" + words[0] + "\"; " + kUsage;
    }
    return args;
}

std::optional<std::uint32_t> parse_mtu(const std::string& text) {
    std::uint32_t mtu = 0;
    const char* end = text.data() + text.size();
    const bool number = std::from_chars(text.data(), end, mtu).ptr == end;
    return number && mtu >= kLeastMtu && mtu <= kMostMtu ? std::optional(mtu) : std::nullopt;
}

Parsed parse_link(IpArgs args, Rest words) {
    args.interface = take_device(words);
    if (args.interface.empty()) {
        return std::string("link set needs the name of an interface");
    }
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (words[i] == "up" || words[i] == "down") {
            args.up = words[i] == "up";
        } else if (words[i] != "mtu" || i + 1 == words.size()) {
            return "unexpected \"" + words[i] + "\"; link set takes mtu N, up and down";
        } else if (!(args.mtu = parse_mtu(words[++i]))) {
            return "mtu must be a number from " + std::to_string(kLeastMtu) + " to " +
                   std::to_string(kMostMtu) + ", not \"" + words[i] + "\"";
        }
    }
    if (!args.mtu && !args.up) {
        return std::string("link set needs mtu N, up or down");
    }
    return args;
}

}  // namespace

}  // namespace nsr::router
