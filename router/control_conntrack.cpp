// The connection table at the control port.
#include <memory>
#include <utility>

#include "router/control_client.hpp"
#include "router/control_port.hpp"
#include "router/control_request.hpp"

namespace nsr::router {

using http::Piece;
using http::Request;
using http::Response;

namespace {

// Query parameters as options of conntrack(8): ?proto=udp&dport=53 is -p udp --dport 53. The names
// are its long options.
std::vector<std::string> conntrack_words(const char* command,
                                         const std::map<std::string, std::string>& query) {
    std::vector<std::string> words{command};
    const auto add = [&](const std::string& name, const std::string& value) {
        words.push_back("--" + name);
        if (!value.empty()) {
            words.push_back(value);
        }
    };
    // The protocol decides what the others mean, so it goes first.
    if (const auto protocol = query.find("proto"); protocol != query.end()) {
        add(protocol->first, protocol->second);
    }
    for (const auto& [name, value] : query) {
        if (name != "proto") {
            add(name, value);
        }
    }
    return words;
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
    const auto args = parse_conntrack_args(words_in(request.body));
    if (!args) {
        return http::plain(400, args.error() + "\n");
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

// GET /conntrack?proto=tcp&state=ESTABLISHED: JSON; the keys are those of conntrack_words().
Response ControlPort::list_conntrack(const Request& request) {
    const auto args = parse_conntrack_args(conntrack_words("-L", request.query));
    if (!args) {
        return http::plain(400, args.error() + "\n");
    }
    Response response = stream_conntrack(ConntrackPass(*args, ConntrackPass::Form::Json));
    response.content_type = "application/json";
    return response;
}

// The answer is the number of connections that are gone.
Response ControlPort::delete_conntrack(const Request& request) {
    const auto args = parse_conntrack_args(conntrack_words("-D", request.query));
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

Response ControlPort::stream_conntrack(ConntrackPass pass) {
    const auto shared = std::make_shared<ConntrackPass>(std::move(pass));
    Response response = with_count([shared] { return shared->entries(); });
    response.stream = [this, shared](std::string& out) { return advance(*shared, out); };
    return response;
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
