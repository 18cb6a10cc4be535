#include "router/ip_args.hpp"

#include <charconv>

#include "core/pipeline/router.hpp"
#include "router/config_file.hpp"

namespace nsr::router {
namespace {

using Words = std::vector<std::string>;
using Parsed = Result<IpArgs, std::string>;

constexpr const char* kUsage =
    "write `addr add|del PREFIX dev NAME`, `route add|del [TYPE] PREFIX [via ADDRESS] [dev NAME]` "
    "or `link set [dev] NAME [mtu N] [up|down]`";

Parsed parse_address_words(const Words& words, bool add);
Parsed parse_route_words(const Words& words, bool add);
Parsed parse_link_words(const Words& words);
std::string change_route(const IpArgs& args, Router& router, IfIndex interface);

std::optional<routing::RouteType> route_type(const std::string& word) {
    using routing::RouteType;
    if (word == "unicast") {
        return RouteType::Unicast;
    }
    if (word == "blackhole") {
        return RouteType::Blackhole;
    }
    if (word == "prohibit") {
        return RouteType::Prohibit;
    }
    if (word == "unreachable") {
        return RouteType::Unreachable;
    }
    return word == "throw" ? std::optional(RouteType::Throw) : std::nullopt;
}

}  // namespace

Parsed parse_ip_args(std::string_view line) {
    Result<Words, std::string> words = split_words(line);
    if (!words) {
        return words.error();
    }
    if (words->size() < 3) {
        return std::string(kUsage);
    }
    const std::string& object = (*words)[0];
    const std::string& verb = (*words)[1];
    const bool add = verb == "add" || verb == "a";
    const bool del = verb == "del" || verb == "delete" || verb == "d";
    if ((object == "addr" || object == "address" || object == "a") && (add || del)) {
        return parse_address_words(*words, add);
    }
    if ((object == "route" || object == "r") && (add || del)) {
        return parse_route_words(*words, add);
    }
    if ((object == "link" || object == "l") && verb == "set") {
        return parse_link_words(*words);
    }
    return std::string(kUsage);
}

std::string apply_ip_args(const IpArgs& args, Router& router, Instant now) {
    const routing::Interface* interface = router.interfaces().find(args.interface);
    if (!args.interface.empty() && interface == nullptr) {
        return "Cannot find device \"" + args.interface + "\"";
    }
    const IfIndex index = interface == nullptr ? IfIndex::None : interface->index;
    switch (args.action) {
        case IpAction::AddressAdd:
            return router.add_address(index, args.prefix) ? "" : "RTNETLINK answers: File exists";
        case IpAction::AddressDel:
            return router.remove_address(index, args.prefix, now)
                       ? ""
                       : "RTNETLINK answers: Cannot assign requested address";
        case IpAction::RouteAdd:
        case IpAction::RouteDel:
            return change_route(args, router, index);
        case IpAction::LinkSet:
            break;
    }
    if (args.mtu) {
        router.set_mtu(index, *args.mtu);
    }
    if (args.up) {
        router.set_up(index, *args.up, now);
    }
    return "";
}

namespace {

Parsed parse_address_words(const Words& words, bool add) {
    IpArgs args;
    args.action = add ? IpAction::AddressAdd : IpAction::AddressDel;
    const std::optional<Prefix> prefix = parse_prefix(words[2]);
    if (!prefix) {
        return "\"" + words[2] + "\" is no address; write ADDRESS/LENGTH";
    }
    args.prefix = *prefix;
    if (words.size() != 5 || words[3] != "dev") {
        return std::string("an address needs `dev NAME`");
    }
    args.interface = words[4];
    return args;
}

Parsed parse_route_words(const Words& words, bool add) {
    IpArgs args;
    args.action = add ? IpAction::RouteAdd : IpAction::RouteDel;
    std::size_t i = 2;
    if (const auto type = route_type(words[i])) {
        args.type = *type;
        ++i;
    }
    if (i >= words.size()) {
        return std::string("a route needs a destination: a prefix or `default`");
    }
    const std::string to = words[i++];
    for (; i < words.size(); i += 2) {
        if (i + 1 == words.size() || (words[i] != "via" && words[i] != "dev")) {
            return "unexpected \"" + words[i] + "\"; a route takes via ADDRESS and dev NAME";
        }
        if (words[i] == "dev") {
            args.interface = words[i + 1];
        } else if (!(args.via = parse_address(words[i + 1]))) {
            return "via needs an address, not \"" + words[i + 1] + "\"";
        }
    }
    const Family family = args.via ? args.via->family : Family::Ipv4;
    const std::optional<Prefix> prefix =
        to == "default" ? Prefix{{{}, family}, 0} : parse_prefix(to);
    if (!prefix || !(prefix->network() == *prefix)) {
        return "\"" + to + "\" is no destination; write `default` or a prefix without host bits";
    }
    args.prefix = *prefix;
    if (add && args.type == routing::RouteType::Unicast && !args.via && args.interface.empty()) {
        return std::string("a route needs via ADDRESS, dev NAME or a type");
    }
    return args;
}

Parsed parse_link_words(const Words& words) {
    IpArgs args;
    std::size_t i = words[2] == "dev" ? 3 : 2;
    if (i >= words.size()) {
        return std::string("link set needs the name of an interface");
    }
    args.interface = words[i++];
    for (; i < words.size(); ++i) {
        if (words[i] == "up" || words[i] == "down") {
            args.up = words[i] == "up";
            continue;
        }
        std::uint32_t mtu = 0;
        if (words[i] != "mtu" || i + 1 == words.size()) {
            return "unexpected \"" + words[i] + "\"; link set takes mtu N, up and down";
        }
        const std::string& number = words[++i];
        const char* end = number.data() + number.size();
        if (std::from_chars(number.data(), end, mtu).ptr != end || mtu < 68 || mtu > 65535) {
            return "mtu must be a number from 68 to 65535, not \"" + number + "\"";
        }
        args.mtu = mtu;
    }
    if (!args.mtu && !args.up) {
        return std::string("link set needs mtu N, up or down");
    }
    return args;
}

std::string change_route(const IpArgs& args, Router& router, IfIndex interface) {
    const routing::Route route{args.prefix, args.via, interface, args.type};
    if (args.action == IpAction::RouteDel) {
        return router.remove_route(route) ? "" : "RTNETLINK answers: No such process";
    }
    return router.add_route(route) ? "" : "RTNETLINK answers: Network is unreachable";
}

}  // namespace
}  // namespace nsr::router
