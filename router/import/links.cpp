#include "router/import/links.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

#include "router/base/json_text.hpp"
#include "router/base/listing.hpp"

namespace nsr::router {
namespace {

namespace json = boost::json;
using Links = std::vector<SeenLink>;

constexpr const char* kLoopback = "lo";
// Addresses of lo beside its own are the router's like all others, but no interface may be "lo".
constexpr const char* kLoopbackHere = "loopback";

// Kinds whose packets are something else outside.
constexpr std::string_view kTunnels[] = {"gre",    "gretap", "ip6gre", "ipip", "sit",
                                         "ip6tnl", "vti",    "vti6",   "xfrm", "wireguard",
                                         "vxlan",  "geneve", "l2tp",   "ppp",  "tun"};

std::optional<std::int64_t> number_of(const json::object& object, std::string_view key) {
    const json::value* found = object.if_contains(key);
    return found != nullptr && found->is_int64() ? std::optional(found->get_int64()) : std::nullopt;
}

template <class Action>
void each_object(const json::object& object, std::string_view key, const Action& action) {
    const json::value* found = object.if_contains(key);
    if (found == nullptr || !found->is_array()) {
        return;
    }
    for (const json::value& each : found->get_array()) {
        if (each.is_object()) {
            action(each.get_object());
        }
    }
}

// One entry of addr_info. A peer's network is a route of its own.
std::optional<SeenAddress> address_of(const json::object& info, const SourceLocation& from) {
    const auto address = parse_address(text_in(info, "local"));
    const auto length = number_of(info, "prefixlen");
    if (!address || !length || *length < 0 || *length > std::int64_t{address->bits()}) {
        return std::nullopt;
    }
    const bool peer = info.contains("address");
    return SeenAddress{{*address, static_cast<std::uint8_t>(peer ? address->bits() : *length)},
                       from};
}

SeenLink link_of(const json::object& object, const std::string& file) {
    SeenLink link;
    link.from = {file, 0, 0};
    link.name = text_in(object, "ifname");
    link.master = text_in(object, "master");
    link.mtu = static_cast<std::uint32_t>(number_of(object, "mtu").value_or(link.mtu));
    if (const json::value* info = object.if_contains("linkinfo"); info != nullptr) {
        link.kind = info->is_object() ? text_in(info->get_object(), "info_kind") : "";
    }
    link.up = false;
    if (const json::value* flags = object.if_contains("flags");
        flags != nullptr && flags->is_array()) {
        const json::array& all = flags->get_array();
        link.up = std::find(all.begin(), all.end(), json::value("UP")) != all.end();
    }
    each_object(object, "addr_info", [&](const json::object& info) {
        if (auto address = address_of(info, link.from)) {
            link.addresses.push_back(std::move(*address));
        }
    });
    return link;
}

Result<Links, ConfigErrors> links_of_json(const Dump& dump) {
    json::stream_parser parser;
    boost::system::error_code error;
    for (std::size_t i = 0; i < dump.lines.size() && !error; ++i) {
        parser.write(dump.lines[i] + "\n", error);
        if (error) {
            return ConfigErrors{{dump.at(i), "this is no JSON: " + error.message()}};
        }
    }
    parser.finish(error);
    const json::value all = error ? json::value() : parser.release();
    if (error || !all.is_array()) {
        return ConfigErrors{{{dump.file, 0, 0}, "this is no JSON array, as ip -j prints it"}};
    }
    Links links;
    for (const json::value& each : all.get_array()) {
        const bool named = each.is_object() && !text_in(each.get_object(), "ifname").empty();
        if (named) {
            links.push_back(link_of(each.get_object(), dump.file));
        }
    }
    return links;
}

// --- ip -o --------------------------------------------------------------------------------------

std::string_view behind(const std::vector<std::string_view>& words, std::string_view key) {
    const auto found = std::find(words.begin(), words.end(), key);
    return found == words.end() || found + 1 == words.end() ? std::string_view{} : *(found + 1);
}

// "3: v0@v1: <BROADCAST,UP> mtu 1500 ... master br0 ..."
std::optional<SeenLink> link_of_line(const std::string& line, const SourceLocation& from) {
    const auto words = words_of(line);
    if (words.size() < 3 || !words[0].ends_with(':') || !words[1].ends_with(':')) {
        return std::nullopt;
    }
    SeenLink link;
    link.from = from;
    link.name = words[1].substr(0, std::min(words[1].find('@'), words[1].size() - 1));
    link.master = behind(words, "master");
    const std::string_view mtu = behind(words, "mtu");
    std::from_chars(mtu.data(), mtu.data() + mtu.size(), link.mtu);
    const std::string flags = "," + std::string(words[2].substr(1, words[2].size() - 2)) + ",";
    link.up = flags.find(",UP,") != std::string::npos;
    return link;
}

// "3: v0    inet 10.0.0.1/24 ...", "3: ppp0    inet 10.0.0.1 peer 10.0.0.2/32 ..."
bool add_address(const std::string& line, const SourceLocation& from, Links& links) {
    const auto words = words_of(line);
    if (words.size() < 4) {
        return false;
    }
    const auto link = std::find_if(links.begin(), links.end(),
                                   [&](const SeenLink& each) { return each.name == words[1]; });
    const auto prefix = parse_prefix(words[3]);
    if (link == links.end() || !prefix || !words[2].starts_with("inet")) {
        return false;
    }
    link->addresses.push_back({*prefix, from});
    return true;
}

Result<Links, ConfigErrors> links_of_lines(const Dumps& dumps) {
    Links links;
    ConfigErrors errors;
    const Dump& names = dumps[DumpId::Links];
    for (std::size_t i = 0; i < names.lines.size(); ++i) {
        if (auto link = link_of_line(names.lines[i], names.at(i))) {
            links.push_back(std::move(*link));
        } else {
            errors.push_back({names.at(i), "this is no line of `ip -o link`"});
        }
    }
    const Dump& addresses = dumps[DumpId::Addresses];
    for (std::size_t i = 0; i < addresses.lines.size(); ++i) {
        if (!add_address(addresses.lines[i], addresses.at(i), links)) {
            errors.push_back({addresses.at(i), "this is no address of an interface of " +
                                                   names.file + ", as `ip -o addr` prints it"});
        }
    }
    return errors.empty() ? Result<Links, ConfigErrors>(std::move(links)) : errors;
}

// --- into the configuration ---------------------------------------------------------------------

std::string length_without_network(const IpAddress& address) {
    return to_string(address) + "/" + std::to_string(address.bits());
}

void add_address(const SeenLink& link, const SeenAddress& seen, std::size_t interface,
                 const std::vector<Connected>& routed, Draft& draft) {
    const bool connected = std::find(routed.begin(), routed.end(),
                                     Connected{link.name, seen.prefix.network()}) != routed.end();
    Piece piece{PieceKind::Address,
                seen.from,
                "address " + to_string(seen.prefix) + " of " + link.name,
                {},
                interface};
    piece.lines = {connected ? to_string(seen.prefix)
                             : length_without_network(seen.prefix.address)};
    draft.add(std::move(piece));
}

void tell_of_kind(const SeenLink& link, const Links& links, Draft& draft) {
    const auto* const tunnel = std::find(std::begin(kTunnels), std::end(kTunnels), link.kind);
    if (tunnel != std::end(kTunnels)) {
        draft.note(link.from, "interface " + link.name + " (" + link.kind +
                                  "): what its packets become outside is not part of it");
    }
    const auto master = std::find_if(
        links.begin(), links.end(), [&](const SeenLink& each) { return each.name == link.master; });
    if (link.kind == "vrf" || (master != links.end() && master->kind == "vrf")) {
        draft.leave_out(link.from, "interface " + link.name +
                                       " is of a VRF, and there are none: its packets ask the "
                                       "tables that [[rule]] names");
    }
}

}  // namespace

Result<std::vector<SeenLink>, ConfigErrors> read_links(const Dumps& dumps) {
    const Dump& parsed = dumps[DumpId::AddressesJson];
    if (parsed.there && !parsed.lines.empty()) {
        return links_of_json(parsed);
    }
    for (const DumpId needed : {DumpId::Links, DumpId::Addresses}) {
        if (!dumps[needed].there) {
            return ConfigErrors{
                {{dumps[needed].file, 0, 0},
                 "neither it nor " + parsed.file + " is there, so the interfaces are not known"}};
        }
    }
    return links_of_lines(dumps);
}

void add_links(const std::vector<SeenLink>& links, const std::vector<Connected>& routed,
               Draft& draft) {
    for (const SeenLink& link : links) {
        std::vector<SeenAddress> addresses = link.addresses;
        std::string name = link.name;
        if (name == kLoopback) {
            name = kLoopbackHere;
            std::erase_if(addresses, [](const SeenAddress& each) {
                return each.prefix.address.is_loopback();
            });
            if (addresses.empty()) {
                continue;
            }
        }
        Piece piece{PieceKind::Interface, link.from, name, {}};
        piece.lines = {"[[interface]]", "name = " + toml_string(name)};
        if (link.name != kLoopback) {
            piece.lines.push_back("mtu = " + std::to_string(link.mtu));
            if (!link.up) {
                piece.lines.emplace_back("up = false");
            }
        }
        const std::size_t interface = draft.add(std::move(piece));
        for (const SeenAddress& address : addresses) {
            add_address(link, address, interface, routed, draft);
        }
        tell_of_kind(link, links, draft);
    }
}

}  // namespace nsr::router
