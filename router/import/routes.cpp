#include "router/import/routes.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/base/words.hpp"
#include "router/base/listing.hpp"

namespace nsr::router {
namespace {

using Words = std::vector<std::string_view>;

struct Hop {
    std::string via;
    std::string interface;
    std::string weight;
    bool onlink = false;
};

// One line of `ip -o route show table all`, in the words of the configuration.
struct SeenRoute {
    std::string type = "unicast";
    std::string to;
    std::string table = "main";
    Hop hop;  // valid iff there are no `hops`
    std::vector<Hop> hops;
    std::vector<std::pair<std::string, std::string>> more;  // keys and TOML values
    bool dead = false;
    std::string unknown;  // a word that it cannot have here; empty: none

    [[nodiscard]] bool unicast() const { return type == "unicast"; }
};

constexpr std::string_view kTypes[] = {"unicast", "local",     "broadcast", "multicast",
                                       "anycast", "blackhole", "prohibit",  "unreachable",
                                       "throw",   "nat"};
// What decides nothing about the way of a packet.
constexpr std::string_view kPassedOver[] = {
    "proto",   "scope",   "pref", "expires",  "error",    "hoplimit",   "advmss",   "rtt",
    "rttvar",  "window",  "cwnd", "ssthresh", "initcwnd", "initrwnd",   "features", "quickack",
    "congctl", "rto_min", "nhid", "users",    "age",      "reordering", "realm",    "realms"};
constexpr std::string_view kFlags[] = {
    "linkdown", "pervasive", "offload",    "notify",         "trap",
    "cache",    "rt_trap",   "rt_offload", "offload_failed", "rt_offload_failed"};

template <std::size_t kSize>
bool one_of(std::string_view word, const std::string_view (&words)[kSize]) {
    return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

class Reader {
  public:
    explicit Reader(const std::string& line) : text_(line) {
        std::replace(text_.begin(), text_.end(), '\\', ' ');
        words_ = words_of(text_);
    }

    std::optional<SeenRoute> read() {
        if (at_ < words_.size() && one_of(words_[at_], kTypes)) {
            route_.type = words_[at_++];
        }
        if (at_ == words_.size()) {
            return std::nullopt;
        }
        route_.to = words_[at_++];
        while (at_ < words_.size()) {
            word(words_[at_++]);
        }
        return std::move(route_);
    }

  private:
    std::string value() { return at_ < words_.size() ? std::string(words_[at_++]) : ""; }
    Hop& hop() { return route_.hops.empty() ? route_.hop : route_.hops.back(); }

    void word(std::string_view key) {
        if (key == "nexthop") {
            route_.hops.emplace_back();
        } else if (key == "via") {
            std::string via = value();
            hop().via = via == "inet" || via == "inet6" ? value() : via;
        } else if (key == "dev") {
            hop().interface = value();
        } else if (key == "weight") {
            hop().weight = value();
        } else if (key == "onlink") {
            hop().onlink = true;
        } else if (key == "table") {
            route_.table = value();
        } else if (key == "src") {
            route_.more.emplace_back("src", toml_string(value()));
        } else if (key == "metric") {
            route_.more.emplace_back("metric", value());
        } else if (key == "tos" || key == "dsfield") {
            route_.more.emplace_back("tos", value());
        } else if (key == "mtu") {
            mtu();
        } else if (key == "dead") {
            route_.dead = true;
        } else if (one_of(key, kPassedOver)) {
            value();
        } else if (!one_of(key, kFlags) && route_.unknown.empty()) {
            route_.unknown = key;
        }
    }

    void mtu() {
        std::string size = value();
        if (size == "lock") {
            size = value();
            route_.more.emplace_back("mtu_locked", "true");
        }
        route_.more.emplace_back("mtu", size);
    }

    std::string text_;
    Words words_;
    std::size_t at_ = 0;
    SeenRoute route_;
};

std::optional<Prefix> destination_of(const SeenRoute& route) {
    const auto prefix = parse_prefix(route.to);
    return prefix ? std::optional(prefix->network()) : std::nullopt;
}

// As an address of its interface makes it.
std::optional<Connected> connected_of(const SeenRoute& route) {
    const auto to = destination_of(route);
    const bool direct = route.unicast() && route.table == "main" && route.hop.via.empty() &&
                        route.hops.empty() && !route.dead;
    if (!direct || !to) {
        return std::nullopt;
    }
    return Connected{route.hop.interface, *to};
}

bool is_implied(const SeenRoute& route, const std::vector<SeenLink>& links) {
    const auto connected = connected_of(route);
    return connected && std::any_of(links.begin(), links.end(), [&](const SeenLink& link) {
               return link.name == connected->interface &&
                      std::any_of(link.addresses.begin(), link.addresses.end(),
                                  [&](const SeenAddress& address) {
                                      return address.prefix.network() == connected->network;
                                  });
           });
}

// Of the local table what addresses imply; and what only other tables may hold.
bool is_of_addresses(const SeenRoute& route, const std::vector<SeenLink>& links) {
    if (route.type == "broadcast" || route.type == "anycast" || route.type == "multicast") {
        return true;
    }
    const auto to = destination_of(route);
    if (route.type != "local" || !to) {
        return false;
    }
    return to->address.is_loopback() ||
           std::any_of(links.begin(), links.end(), [&](const SeenLink& link) {
               return std::any_of(link.addresses.begin(), link.addresses.end(),
                                  [&](const SeenAddress& address) {
                                      return to->length == to->address.bits() &&
                                             address.prefix.address == to->address;
                                  });
           });
}

std::string hop_text(const Hop& hop) {
    std::string text = "{ interface = " + toml_string(hop.interface);
    text += hop.via.empty() ? "" : ", via = " + toml_string(hop.via);
    text += hop.weight.empty() ? "" : ", weight = " + hop.weight;
    return text + (hop.onlink ? ", onlink = true }" : " }");
}

std::vector<std::string> lines_of(const SeenRoute& route, const Dumps& dumps, Family family) {
    const bool any = route.to == "default";
    const std::string to = !any                     ? to_string(*destination_of(route))
                           : family == Family::Ipv6 ? "::/0"
                                                    : "0.0.0.0/0";
    std::vector<std::string> lines = {"[[route]]", "to = " + toml_string(to)};
    if (!route.unicast()) {
        lines.push_back("type = " + toml_string(route.type));
    } else if (route.hops.empty()) {
        if (!route.hop.via.empty()) {
            lines.push_back("via = " + toml_string(route.hop.via));
        }
        lines.push_back("interface = " + toml_string(route.hop.interface));
        if (route.hop.onlink) {
            lines.emplace_back("onlink = true");
        }
    } else {
        std::string hops;
        for (const Hop& hop : route.hops) {
            hops += (hops.empty() ? "" : ", ") + hop_text(hop);
        }
        lines.push_back("nexthops = [" + hops + "]");
    }
    if (route.table != "main") {
        lines.push_back("table = " + toml_string(table_here(dumps, route.table)));
    }
    for (const auto& [key, value] : route.more) {
        lines.push_back(key + " = " + value);
    }
    return lines;
}

void add_route(const Dump& dump, std::size_t index, const Dumps& dumps, Family family,
               const std::vector<SeenLink>& links, Draft& draft) {
    const std::string& line = dump.lines[index];
    const auto route = Reader(line).read();
    if (!route) {
        return;
    }
    if (route->to != "default" && !destination_of(*route)) {
        draft.leave_out(dump.at(index), "this is no route: " + line);
        return;
    }
    if (route->dead || is_implied(*route, links) || is_of_addresses(*route, links)) {
        return;
    }
    if (route->type == "local" || route->type == "nat" || !route->unknown.empty()) {
        const std::string why = route->unknown.empty()
                                    ? "routes of type " + route->type + " are those of addresses"
                                    : "a route has no \"" + route->unknown + "\" here";
        draft.leave_out(dump.at(index), "route " + line + ": " + why);
        return;
    }
    draft.add({PieceKind::Route, dump.at(index), "route " + line, lines_of(*route, dumps, family)});
}

constexpr std::pair<DumpId, Family> kFamilies[] = {{DumpId::Routes4, Family::Ipv4},
                                                   {DumpId::Routes6, Family::Ipv6}};

}  // namespace

std::vector<Connected> connected_routes(const Dumps& dumps) {
    std::vector<Connected> all;
    for (const auto& [id, family] : kFamilies) {
        for (const std::string& line : dumps[id].lines) {
            const auto route = Reader(line).read();
            if (auto connected = route ? connected_of(*route) : std::nullopt) {
                all.push_back(std::move(*connected));
            }
        }
    }
    return all;
}

// A gateway is reached by a route that has none: those come first.
void add_routes(const Dumps& dumps, const std::vector<SeenLink>& links, Draft& draft) {
    for (const auto& [id, family] : kFamilies) {
        const Dump& dump = dumps[id];
        for (const bool by_gateway : {false, true}) {
            for (std::size_t i = 0; i < dump.lines.size(); ++i) {
                if ((dump.lines[i].find(" via ") != std::string::npos) == by_gateway) {
                    add_route(dump, i, dumps, family, links, draft);
                }
            }
        }
    }
}

// "252 vpn"
std::string table_here(const Dumps& dumps, std::string_view name) {
    if (name == "main" || name == "default" || name == "local") {
        return std::string(name);
    }
    for (const std::string& line : dumps[DumpId::TableNames].lines) {
        const auto words = words_of(line);
        if (words.size() >= 2 && words[1] == name && !words[0].starts_with('#')) {
            return std::string(words[0]);
        }
    }
    return std::string(name);
}

}  // namespace nsr::router
