#include "router/control/ip_json.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <iterator>
#include <string_view>
#include <vector>

#include "core/base/words.hpp"
#include "core/pipeline/router.hpp"
#include "router/base/listing.hpp"
#include "router/tools/ip/values.hpp"

namespace nsr::router {
namespace {

namespace json = boost::json;
using Words = std::vector<std::string_view>;

// What a word before a value means; the others are flags.
struct Key {
    std::string_view word;
    std::string_view key;
    bool number;
};
constexpr Key kRouteKeys[] = {
    {"via", "gateway", false},  {"dev", "dev", false},     {"proto", "protocol", false},
    {"scope", "scope", false},  {"src", "prefsrc", false}, {"from", "from", false},
    {"table", "table", false},  {"tos", "tos", false},     {"metric", "metric", true},
    {"weight", "weight", true}, {"mtu", "mtu", true},      {"iif", "iif", false},
    {"mark", "mark", false}};
constexpr Key kRuleKeys[] = {
    {"from", "src", false},        {"to", "dst", false},
    {"fwmark", "fwmark", false},   {"iif", "iif", false},
    {"oif", "oif", false},         {"tos", "tos", false},
    {"ipproto", "ipproto", false}, {"sport", "sport", false},
    {"dport", "dport", false},     {"lookup", "table", false},
    {"goto", "goto", true},        {"suppress_prefixlength", "suppress_prefixlen", true}};
constexpr std::string_view kTypes[] = {"unicast", "blackhole", "prohibit",  "unreachable", "throw",
                                       "local",   "broadcast", "multicast", "anycast"};

json::value value_in(std::string_view text, bool number) {
    std::uint32_t value = 0;
    const char* end = text.data() + text.size();
    if (number && std::from_chars(text.data(), end, value).ptr == end) {
        return value;
    }
    return json::string(text);
}

template <std::size_t N>
const Key* find_key(const Key (&keys)[N], std::string_view word) {
    const Key* found = std::find_if(std::begin(keys), std::end(keys),
                                    [&](const Key& each) { return each.word == word; });
    return found == std::end(keys) ? nullptr : found;
}

void read_route(const Words& words, std::size_t at, json::object& into) {
    json::array flags;
    for (; at < words.size(); ++at) {
        const Key* key = find_key(kRouteKeys, words[at]);
        if (key != nullptr && at + 1 < words.size()) {
            at += words[at] == "mtu" && words[at + 1] == "lock" ? 1 : 0;
            into[key->key] = value_in(words[++at], key->number);
        } else {
            flags.emplace_back(json::string(words[at]));
        }
    }
    into["flags"] = std::move(flags);
}

// "cache <local,brd> iif lan"
void read_cache(const Words& words, json::object& into) {
    json::array flags;
    for (std::size_t at = 1; at < words.size(); ++at) {
        if (words[at].starts_with('<')) {
            for (const std::string_view flag :
                 split(words[at].substr(1, words[at].size() - 2), ',')) {
                flags.emplace_back(json::string(flag));
            }
        } else if (words[at] == "iif" && at + 1 < words.size()) {
            into["iif"] = json::string(words[++at]);
        }
    }
    into["cache"] = std::move(flags);
}

// Each line is a route; those that begin with a tab are next hops of the one before.
json::array routes_json(const std::string& text) {
    json::array out;
    for (const std::string_view line : split(text, '\n')) {
        const Words words = words_of(line);
        if (words.empty()) {
            continue;
        }
        if (words[0] == "cache" && !out.empty()) {
            read_cache(words, out.back().as_object());
            continue;
        }
        json::object one;
        if (words[0] == "nexthop" && !out.empty()) {
            read_route(words, 1, one);
            json::object& route = out.back().as_object();
            if (!route.contains("nexthops")) {
                route["nexthops"] = json::array();
            }
            route["nexthops"].as_array().push_back(std::move(one));
            continue;
        }
        const bool typed =
            std::find(std::begin(kTypes), std::end(kTypes), words[0]) != std::end(kTypes);
        if (typed) {
            one["type"] = json::string(words[0]);
        }
        const std::size_t destination = typed ? 1 : 0;
        if (destination < words.size()) {
            one["dst"] = json::string(words[destination]);
        }
        read_route(words, destination + 1, one);
        out.push_back(std::move(one));
    }
    return out;
}

// "10.0.0.0/8": the tool has the length by itself.
void set_prefix(json::object& into, std::string_view key, std::string_view prefix) {
    const std::size_t slash = prefix.find('/');
    into[key] = json::string(prefix.substr(0, slash));
    if (slash != std::string_view::npos) {
        into[std::string(key) + "len"] = value_in(prefix.substr(slash + 1), true);
    }
}

json::array rules_json(const std::string& text) {
    json::array out;
    for (const std::string_view line : split(text, '\n')) {
        const Words words = words_of(line);
        if (words.empty()) {
            continue;
        }
        json::object one{{"priority", value_in(words[0].substr(0, words[0].size() - 1), true)}};
        for (std::size_t at = 1; at < words.size(); ++at) {
            const Key* key = find_key(kRuleKeys, words[at]);
            if (key == nullptr || at + 1 == words.size()) {
                one[words[at] == "not" ? "not" : "action"] =
                    words[at] == "not" ? json::value(nullptr)
                                       : json::value(json::string(words[at]));
            } else if (key->key == "src" || key->key == "dst") {
                set_prefix(one, key->key, words[++at]);
            } else {
                one[key->key] = value_in(words[++at], key->number);
            }
        }
        out.push_back(std::move(one));
    }
    return out;
}

json::object counters_json(std::uint64_t bytes, std::uint64_t packets, std::uint64_t dropped) {
    return {{"bytes", bytes}, {"packets", packets}, {"errors", 0}, {"dropped", dropped}};
}

json::array addresses_json(const routing::Interface& interface, Family family) {
    json::array out;
    for (const Prefix& own : interface.addresses) {
        const IpAddress& address = own.address;
        if (family != Family::None && family != address.family) {
            continue;
        }
        json::object one{{"family", address.is_v4() ? "inet" : "inet6"},
                         {"local", to_string(address)},
                         {"prefixlen", own.length},
                         {"scope", address.is_link_local() ? "link" : "global"}};
        if (address.is_v4()) {
            one["label"] = interface.name;
        }
        out.push_back(std::move(one));
    }
    return out;
}

json::array links_json(const Router& router, const IpArgs& args, const IpForm& form) {
    json::array out;
    for (const routing::Interface& interface : router.interfaces().all()) {
        if (!args.interface.empty() && args.interface != interface.name) {
            continue;
        }
        json::array flags{"POINTOPOINT", "NOARP"};
        if (interface.up) {
            flags.emplace_back("UP");
            flags.emplace_back("LOWER_UP");
        }
        json::object one{{"ifindex", raw(interface.index)},
                         {"ifname", interface.name},
                         {"flags", std::move(flags)},
                         {"mtu", interface.mtu},
                         {"operstate", interface.up ? "UP" : "DOWN"},
                         {"link_type", "none"}};
        if (args.action == IpAction::AddressShow) {
            one["addr_info"] = addresses_json(interface, args.family);
        }
        if (form.statistics) {
            const routing::InterfaceCounters& c = interface.counters;
            one["stats64"] = {{"rx", counters_json(c.rx_bytes, c.rx_packets, c.rx_dropped)},
                              {"tx", counters_json(c.tx_bytes, c.tx_packets, c.tx_dropped)}};
        }
        out.push_back(std::move(one));
    }
    return out;
}

void add_hop(json::object& into, const Router& router, const std::optional<IpAddress>& via,
             IfIndex interface, bool onlink) {
    if (via) {
        into["gateway"] = to_string(*via);
    }
    if (interface != IfIndex::None) {
        into["dev"] = router.interfaces().get(interface).name;
    }
    if (onlink) {
        into["onlink"] = true;
    }
}

}  // namespace

json::object route_json(const Router& router, const routing::Route& route, bool connected) {
    json::object out{{"family", route.to.address.is_v6() ? "ipv6" : "ipv4"},
                     {"type", name_of(route.type)},
                     {"dst", route.to.length == 0 ? "default" : to_string(route.to)},
                     {"table", table_name(route.table)},
                     {"protocol", connected ? "kernel" : "static"},
                     {"metric", effective_metric(route)}};
    add_hop(out, router, route.via, route.interface, route.onlink);
    if (route.tos != 0) {
        out["tos"] = route.tos;
    }
    if (route.source) {
        out["prefsrc"] = to_string(*route.source);
    }
    if (route.mtu != 0) {
        out["mtu"] = route.mtu;
    }
    json::array hops;
    for (const routing::NextHop& hop : route.hops) {
        json::object one{{"weight", hop.weight}};
        add_hop(one, router, hop.via, hop.interface, hop.onlink);
        hops.push_back(std::move(one));
    }
    if (!hops.empty()) {
        out["nexthops"] = std::move(hops);
    }
    return out;
}

std::string ip_json(const Router& router, const IpArgs& args, const IpForm& form,
                    const std::string& text) {
    switch (args.action) {
        case IpAction::RouteShow:
        case IpAction::RouteGet:
            return json::serialize(routes_json(text)) + "\n";
        case IpAction::RuleShow:
            return json::serialize(rules_json(text)) + "\n";
        case IpAction::AddressShow:
        case IpAction::LinkShow:
            return json::serialize(links_json(router, args, form)) + "\n";
        default:
            return text;
    }
}

}  // namespace nsr::router
