// The connection table at the control port.
#include <initializer_list>
#include <memory>
#include <string_view>
#include <utility>

#include "router/control/client.hpp"
#include "router/control/port.hpp"
#include "router/control/request.hpp"
#include "router/tools/conntrack/parse.hpp"
#include "router/tools/nfct/command.hpp"

namespace nsr::router {

using http::Piece;
using http::Request;
using http::Response;

namespace {

// What GET and DELETE select by: long options of conntrack(8). None of them changes anything.
// clang-format off
const std::initializer_list<std::string_view> kFilters = {
    "family", "proto", "protonum", "src", "orig-src", "dst", "orig-dst", "mask-src", "mask-dst",
    "reply-src", "reply-dst", "sport", "dport", "orig-port-src", "orig-port-dst", "reply-port-src",
    "reply-port-dst", "icmp-type", "icmp-code", "icmp-id", "state", "status", "mark", "zone",
    "orig-zone", "reply-zone", "src-nat", "dst-nat", "any-nat", "id"};
// clang-format on

// ?proto=udp&dport=53 is --proto=udp --dport=53. One word each: a value that looks like an option
// stays a value.
std::vector<std::string> conntrack_words(const char* command, const Request& request) {
    std::vector<std::string> words{command};
    for (const auto& [name, value] : request.query) {
        words.push_back("--" + name + "=" + value);
    }
    return words;
}

// A page of another site can make a browser send a GET, so reading never changes anything.
std::optional<Response> refused_in_get(const Request& request) {
    for (const std::string name : {"zero", "timeout"}) {
        if (request.query.contains(name)) {
            return http::plain(400, "\"" + name +
                                        "\" changes connections, GET does not: use POST "
                                        "/conntrack with the words of the command as its body\n");
        }
    }
    return unknown_parameters(request, kFilters);
}

// A stream that says at its end how many connections it was about.
Response with_count(const std::function<std::size_t()>& entries) {
    Response response;
    response.trailer = kEntriesField;
    response.trailer_value = [entries] { return std::to_string(entries()); };
    return response;
}

}  // namespace

// The body is the arguments of conntrack(8), one a line.
Response ControlPort::conntrack(const Request& request) {
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    const auto args = parse_conntrack_args(words_in(request.body));
    if (!args) {
        return http::plain(400, args.error() + "\n");
    }
    if (args->command == ConntrackCommand::Events) {
        return conntrack_events(request, *args);
    }
    greet_ctnetlink();
    if (ConntrackPass::takes(*args)) {
        return stream_conntrack(ConntrackPass(*args));
    }
    const ConntrackAnswer answer = run_conntrack(*args, controls_.router, now());
    if (!answer.error.empty()) {
        return http::plain(400, answer.error + "\n");
    }
    Response response = with_count([entries = answer.entries] { return entries; });
    response.stream = [body = answer.text](std::string& out) {
        out += body;
        return Piece::Last;
    };
    return response;
}

// The words of nfct(8), one a line.
Response ControlPort::nfct(const Request& request) {
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    const auto args = parse_nfct_args(words_in(request.body));
    if (!args) {
        return http::plain(400, args.error());
    }
    NfctAnswer answer = run_nfct(*args, controls_.router);
    return answer.errors.empty() ? http::plain(200, std::move(answer.text))
                                 : http::plain(400, std::move(answer.errors));
}

// GET /conntrack?proto=tcp&state=ESTABLISHED: JSON; the keys are kFilters.
Response ControlPort::list_conntrack(const Request& request) {
    if (auto refused = refused_in_get(request)) {
        return *refused;
    }
    const auto args = parse_conntrack_args(conntrack_words("-L", request));
    if (!args) {
        return http::plain(400, args.error() + "\n");
    }
    return stream_conntrack(ConntrackPass(*args, ConntrackPass::Form::Json), "application/json");
}

// The answer is the number of connections that are gone.
Response ControlPort::delete_conntrack(const Request& request) {
    if (auto refused = unknown_parameters(request, kFilters)) {
        return *refused;
    }
    const auto args = parse_conntrack_args(conntrack_words("-D", request));
    if (!args) {
        return http::plain(400, args.error() + "\n");
    }
    const auto pass = std::make_shared<ConntrackPass>(*args, ConntrackPass::Form::Silent);
    Response response;
    response.stream = [this, pass](std::string& out) {
        if (advance(*pass, out) == Piece::More) {
            return Piece::More;
        }
        out += std::to_string(pass->entries()) + "\n";
        return Piece::Last;
    };
    return response;
}

// One that names rules gets their places first; looking them up is not for the loop.
Response ControlPort::stream_conntrack(ConntrackPass pass, const std::string& content_type) {
    const auto shared = std::make_shared<ConntrackPass>(std::move(pass));
    Response response = with_count([shared] { return shared->entries(); });
    response.content_type = content_type;
    response.stream = [this, shared](std::string& out) { return advance(*shared, out); };
    if (!shared->names_rules()) {
        return response;
    }
    Response later;
    later.later = [this, shared, response](const std::function<void(Response)>& reply) {
        const auto places = std::make_shared<RulePlaces>();
        controls_.beside(
            [places, ruleset = controls_.router.ruleset()] { *places = places_of(ruleset); },
            [reply, places, shared, response](const std::string& failure) {
                if (!failure.empty()) {
                    return reply(http::plain(507, failure + "\n"));
                }
                shared->set_places(places);
                reply(response);
            });
    };
    return later;
}

Piece ControlPort::advance(ConntrackPass& pass, std::string& out) {
    const bool more = pass.advance(controls_.router, out, kPieceBytes, now());
    controls_.engine.deadlines_changed();
    return more ? Piece::More : Piece::Last;
}

// The kernel says this when the modules that conntrack(8) talks to are loaded.
void ControlPort::greet_ctnetlink() {
    if (std::exchange(ctnetlink_greeted_, true)) {
        return;
    }
    controls_.log.log(now(), LogLevel::Info, "Netfilter messages via NETLINK v0.30.");
    controls_.log.log(now(), LogLevel::Info, "ctnetlink v0.93: registering with nfnetlink.");
}

}  // namespace nsr::router
