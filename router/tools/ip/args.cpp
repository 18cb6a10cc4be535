#include "router/tools/ip/args.hpp"

#include <algorithm>
#include <charconv>
#include <span>
#include <utility>

#include "router/base/text_file.hpp"

namespace nsr::router {
namespace {

using Words = std::vector<std::string>;
using Rest = std::span<const std::string>;
using Parsed = Result<IpArgs, std::string>;

constexpr const char* kUsage =
    "write `addr add|del PREFIX dev NAME`, `route add|replace|del [TYPE] PREFIX [via ADDRESS] [dev "
    "NAME]`, `link set [dev] NAME [mtu N] [up|down]`, or `addr|route|link show`";
constexpr std::uint32_t kLeastMtu = 68;
constexpr std::uint32_t kMostMtu = 65535;

// One row per object and verb; the first that the words abbreviate is meant.
struct Command {
    std::string_view object;
    std::string_view verb;
    IpAction action;
    Parsed (*parse)(IpArgs args, Rest words);
};

Parsed parse_address(IpArgs args, Rest words);
Parsed parse_route(IpArgs args, Rest words);
Parsed parse_link(IpArgs args, Rest words);
Parsed parse_device(IpArgs args, Rest words);
Parsed parse_nothing(IpArgs args, Rest words);

constexpr Command kCommands[] = {
    {"address", "add", IpAction::AddressAdd, parse_address},
    {"address", "delete", IpAction::AddressDel, parse_address},
    {"address", "show", IpAction::AddressShow, parse_device},
    {"address", "list", IpAction::AddressShow, parse_device},
    {"route", "add", IpAction::RouteAdd, parse_route},
    {"route", "replace", IpAction::RouteReplace, parse_route},
    {"route", "delete", IpAction::RouteDel, parse_route},
    {"route", "show", IpAction::RouteShow, parse_nothing},
    {"route", "list", IpAction::RouteShow, parse_nothing},
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

Parsed parse_address(IpArgs args, Rest words) {
    const std::string text = words.empty() ? std::string() : words[0];
    const std::optional<Prefix> prefix = parse_prefix(text);
    if (!prefix) {
        return "\"" + text + "\" is no address; write ADDRESS/LENGTH";
    }
    args.prefix = *prefix;
    args.any_length = prefix->address.is_v4() && text.find('/') == std::string::npos;
    if (!words.empty() && words.back() == "nodad") {  // nobody here looks for duplicates
        words = words.first(words.size() - 1);
    }
    if (words.size() != 3 || words[1] != "dev") {
        return std::string("an address needs `dev NAME`");
    }
    args.interface = words[2];
    return args;
}

std::optional<routing::RouteType> route_type(const std::string& word) {
    using routing::RouteType;
    constexpr std::pair<std::string_view, RouteType> kTypes[] = {
        {"unicast", RouteType::Unicast},   {"blackhole", RouteType::Blackhole},
        {"prohibit", RouteType::Prohibit}, {"unreachable", RouteType::Unreachable},
        {"throw", RouteType::Throw},
    };
    const auto found = std::find_if(std::begin(kTypes), std::end(kTypes),
                                    [&](const auto& each) { return each.first == word; });
    return found == std::end(kTypes) ? std::nullopt : std::optional(found->second);
}

// `default` is of the family of the gateway, else of the one asked for, else IPv4.
std::optional<Prefix> destination(const std::string& text, const IpArgs& args) {
    if (text != "default") {
        return parse_prefix(text);
    }
    const bool v6 = args.via ? args.via->is_v6() : args.family == Family::Ipv6;
    return Prefix{{{}, v6 ? Family::Ipv6 : Family::Ipv4}, 0};
}

Parsed parse_route(IpArgs args, Rest words) {
    if (const auto type = words.empty() ? std::nullopt : route_type(words[0])) {
        args.type = *type;
        words = words.subspan(1);
    }
    if (words.empty()) {
        return std::string("a route needs a destination: a prefix or `default`");
    }
    for (std::size_t i = 1; i < words.size(); i += 2) {
        if (i + 1 == words.size() || (words[i] != "via" && words[i] != "dev")) {
            return "unexpected \"" + words[i] + "\"; a route takes via ADDRESS and dev NAME";
        }
        if (words[i] == "dev") {
            args.interface = words[i + 1];
        } else if (!(args.via = nsr::parse_address(words[i + 1]))) {
            return "via needs an address, not \"" + words[i + 1] + "\"";
        }
    }
    const std::optional<Prefix> prefix = destination(words[0], args);
    if (!prefix || !(prefix->network() == *prefix)) {
        return "\"" + words[0] +
               "\" is no destination; write `default` or a prefix without host bits";
    }
    args.prefix = *prefix;
    if (args.action != IpAction::RouteDel && args.type == routing::RouteType::Unicast &&
        !args.via && args.interface.empty()) {
        return std::string("a route needs via ADDRESS, dev NAME or a type");
    }
    return args;
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
