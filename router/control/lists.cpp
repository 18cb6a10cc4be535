// Tables that have no other form of JSON: expectations, routes and the rules that choose tables.
#include <boost/json.hpp>
#include <memory>
#include <utility>

#include "core/base/utf8.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/conntrack/tuple_text.hpp"
#include "router/control/ip_json.hpp"
#include "router/control/port.hpp"
#include "router/http/request.hpp"
#include "router/tools/ip/rule_text.hpp"

namespace nsr::router {

namespace json = boost::json;
using http::Piece;
using http::Request;
using http::Response;

namespace {

constexpr std::uint64_t kMostRows = 0xffffffff;

const char* family_name(Family family) {
    return family == Family::Ipv6 ? "ipv6" : "ipv4";
}

json::object tuple_json(const conntrack::Tuple& tuple) {
    json::object out{{"src", to_string(tuple.source)}, {"dst", to_string(tuple.destination)}};
    if (conntrack::ports_of(tuple.protocol) == conntrack::Ports::Ports) {
        out["sport"] = tuple.source_port;
        out["dport"] = tuple.destination_port;
    }
    return out;
}

json::object expectation_json(const conntrack::Conntrack& conntrack,
                              const conntrack::Expectation& expectation, Instant now) {
    const auto left = jiffies_until(expectation.deadline, to_jiffies(now));
    json::object expected = tuple_json(expectation.tuple);
    if (!expectation.source_given) {
        expected.erase("src");
    }
    if (!expectation.source_port_given) {
        expected.erase("sport");
    }
    return {
        {"family", family_name(expectation.tuple.family())},
        {"protocol", conntrack::protocol_name(expectation.tuple.protocol)},
        {"timeout", left / static_cast<std::int32_t>(kJiffiesPerSecond)},
        {"expected", std::move(expected)},
        {"master", tuple_json(conntrack.table().tuple(expectation.master, Direction::Original))},
        {"helper", helper_info(conntrack.helper_of(expectation.master)).name},
        {"class", expectation.of_class},
        {"permanent", expectation.permanent},
        {"inactive", expectation.inactive}};
}

}  // namespace

// An array of what `row` gives for 0, 1, ...; null: there are no more. ?limit= so many, ?after= of
// an earlier answer's number of rows. What changes meanwhile may be seen or not.
Response ControlPort::stream_list(const Request& request,
                                  std::function<json::value(std::size_t)> row) {
    if (auto refused = unknown_parameters(request, {"limit", "after"})) {
        return *refused;
    }
    const auto limit = number_in(request, "limit", kMostRows, kMostRows);
    const auto after = number_in(request, "after", 0, kMostRows);
    if (!limit || !after) {
        return limit ? after.error() : limit.error();
    }
    struct Walk {
        std::size_t at;
        std::size_t end;
        bool begun = false;
    };
    const auto walk = std::make_shared<Walk>(
        Walk{static_cast<std::size_t>(*after), static_cast<std::size_t>(*after + *limit)});
    Response response;
    response.content_type = "application/json";
    response.stream = [walk, row = std::move(row)](std::string& out) {
        constexpr std::size_t kRows = 100;  // between two batches
        for (std::size_t rows = 0; rows < kRows; ++rows, ++walk->at) {
            const json::value one = walk->at < walk->end ? row(walk->at) : json::value();
            out += walk->begun ? "" : "[";
            if (one.is_null()) {
                out += walk->begun ? "\n]\n" : "]\n";
                return Piece::Last;
            }
            out += (walk->begun ? ",\n" : "\n") + as_utf8(json::serialize(one));
            walk->begun = true;
        }
        return Piece::More;
    };
    return response;
}

Response ControlPort::expectations(const Request& request) {
    return stream_list(request,
                       [this, id = conntrack::ExpectId{0},
                        next = std::size_t{0}](std::size_t at) mutable -> json::value {
                           const conntrack::Conntrack& conntrack = controls_.router.conntrack();
                           // Those before the first one that is asked for are passed over.
                           for (;; ++next) {
                               id = conntrack.expectations().next(id);
                               if (id == 0) {
                                   return nullptr;
                               }
                               if (next == at) {
                                   ++next;
                                   return expectation_json(conntrack, conntrack.expectations()[id],
                                                           now());
                               }
                           }
                       });
}

Response ControlPort::routes(const Request& request) {
    return stream_list(request, [this](std::size_t at) -> json::value {
        const Router& router = controls_.router;
        const auto& connected = router.routes().connected();
        const auto& configured = router.routes().configured();
        if (at < connected.size()) {
            return route_json(router, connected[at], true);
        }
        at -= connected.size();
        return at < configured.size() ? json::value(route_json(router, configured[at], false))
                                      : json::value();
    });
}

Response ControlPort::routing_rules(const Request& request) {
    return stream_list(request, [this](std::size_t at) -> json::value {
        for (const Family family : {Family::Ipv4, Family::Ipv6}) {
            const auto& rules = controls_.router.routes().rules().of(family);
            if (at < rules.size()) {
                const std::string text = rule_text(rules[at], rules, controls_.router.interfaces());
                return json::object{{"family", family_name(family)},
                                    {"priority", rules[at].priority},
                                    {"rule", text.substr(text.find('\t') + 1)}};
            }
            at -= rules.size();
        }
        return nullptr;
    });
}

}  // namespace nsr::router
