// What NAT maps, at the control port.
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/words.hpp"
#include "core/procfs/nat_mappings.hpp"
#include "core/wire/protocol.hpp"
#include "router/control/port.hpp"
#include "router/http/request.hpp"

namespace nsr::router {

using http::Piece;
using http::Request;
using http::Response;

namespace {

template <class Number>
std::optional<Number> number_in(std::string_view text) {
    Number number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = failure == std::errc() && end == text.data() + text.size();
    return whole && !text.empty() ? std::optional(number) : std::nullopt;
}

// "10.0.0.2:4000", "10.0.0.2", "[fd00::2]:4000", "fd00::2"
bool read_endpoint(std::string_view text, procfs::MappingFilter& filter) {
    const auto colon = text.rfind(':');
    const bool bracket = text.starts_with('[');
    const bool has_port = colon != std::string_view::npos &&
                          (bracket ? text[colon - 1] == ']' : text.find(':') == colon);
    std::string_view address = has_port ? text.substr(0, colon) : text;
    if (bracket && address.ends_with(']')) {
        address = address.substr(1, address.size() - 2);
    }
    filter.address = parse_address(address);
    filter.port = has_port ? number_in<std::uint16_t>(text.substr(colon + 1)) : std::nullopt;
    return filter.address && filter.port.has_value() == has_port;
}

// "udp", "UDP", "17"
std::uint8_t protocol_in(std::string_view name) {
    for (const std::uint8_t protocol :
         {proto::kTcp, proto::kUdp, proto::kUdplite, proto::kSctp, proto::kIcmp, proto::kIcmpv6}) {
        if (conntrack::protocol_name(protocol) == lower(name) ||
            number_in<std::uint8_t>(name) == protocol) {
            return protocol;
        }
    }
    return 0;
}

Response bad(const std::string& text) {
    return http::plain(400, text + "\n");
}

}  // namespace

// GET /nat?proto=udp&endpoint=10.0.0.2:4000: the lines of /proc/nsrouter/nat_mappings about it.
Response ControlPort::list_nat(const Request& request) {
    if (auto refused = unknown_parameters(request, {"proto", "endpoint"})) {
        return *refused;
    }
    procfs::MappingFilter filter;
    const std::string proto = value_of(request, "proto");
    filter.protocol = protocol_in(proto);
    if (request.query.contains("proto") && filter.protocol == 0) {
        return bad("\"" + proto + "\" is none of tcp, udp, udplite, sctp, icmp, icmpv6");
    }
    const std::string endpoint = value_of(request, "endpoint");
    if (request.query.contains("endpoint") && !read_endpoint(endpoint, filter)) {
        return bad("\"" + endpoint +
                   "\" is no endpoint: an address, and a port or id behind it as in "
                   "10.0.0.2:4000 or [fd00::2]:4000");
    }
    const std::shared_ptr<procfs::Cursor> cursor =
        procfs::open_nat_mappings(controls_.tree.context(), filter);
    Response response;
    response.stream = [this, cursor](std::string& out) {
        return cursor->read(out, kPieceBytes, now()) ? Piece::More : Piece::Last;
    };
    return response;
}

// POST /nat?action=reboot: NAT as if it had been switched off and on; with rule=N of the N-th rule
// of POSTROUTING alone, or of chain=NAME, and family=ipv6.
Response ControlPort::change_nat(const Request& request) {
    if (auto refused = unknown_parameters(request, {"action", "rule", "chain", "family"})) {
        return *refused;
    }
    if (value_of(request, "action") != "reboot") {
        return bad("action must be reboot");
    }
    if (auto refused = not_one_of(request, "family", {"ipv4", "ipv6"})) {
        return *refused;
    }
    if (!request.query.contains("rule")) {
        for (const std::string_view about : {"chain", "family"}) {
            if (request.query.contains(std::string(about))) {
                return bad(std::string(about) + " needs rule: without it all translations go");
            }
        }
        controls_.router.forget_translations(std::nullopt, now());
        return http::plain(200, {});
    }
    const std::string number = value_of(request, "rule");
    const bool v6 = value_of(request, "family") == "ipv6";
    const std::string name =
        request.query.contains("chain") ? value_of(request, "chain") : "POSTROUTING";
    const rules::Chain* chain = controls_.router.ruleset()
                                    .table(v6 ? Family::Ipv6 : Family::Ipv4, rules::TableId::Nat)
                                    .find(name);
    if (chain == nullptr) {
        return http::plain(404, "table nat has no chain \"" + name + "\"\n");
    }
    const auto at = number_in<std::size_t>(number);
    if (!at || *at == 0 || *at > chain->rules.size()) {
        return bad("\"" + number + "\" is no rule of " + name + ", which has " +
                   std::to_string(chain->rules.size()));
    }
    controls_.router.forget_translations(chain->rules[*at - 1].id, now());
    return http::plain(200, {});
}

}  // namespace nsr::router
