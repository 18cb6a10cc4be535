// What packets meet and met, for whoever asks: GET /trace, GET /capture, GET /why, GET and POST
// /explain.
#include <charconv>
#include <memory>
#include <utility>

#include "router/control/port.hpp"
#include "router/explain/explain.hpp"
#include "router/http/request.hpp"
#include "router/observe/capture_form.hpp"
#include "router/observe/past.hpp"
#include "router/observe/why.hpp"

namespace nsr::router {

using http::Piece;
using http::Request;
using http::Response;

namespace {

// The number of a parameter; nothing if it is none up to `most`.
std::optional<std::uint64_t> number_of(const Request& request, const std::string& key,
                                       std::uint64_t usual, std::uint64_t most) {
    const std::string text = value_of(request, key);
    if (text.empty()) {
        return usual;
    }
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    return read.ec == std::errc() && read.ptr == end && number <= most ? std::optional(number)
                                                                       : std::nullopt;
}

constexpr std::uint64_t kMostPacketsASecond = 100000;
constexpr std::uint64_t kTraceRate = 1000;
constexpr std::uint64_t kCaptureRate = 10000;

// What all listeners say: ?filter=...&rate=N&count=N
Result<Listener::Wish, std::string> listener_of(const Request& request, std::uint64_t usual_rate) {
    const auto rate = number_of(request, "rate", usual_rate, kMostPacketsASecond);
    const auto count = number_of(request, "count", 0, ~std::uint64_t{0});
    if (!rate || *rate == 0 || !count) {
        return std::string(
            "rate is a number of packets a second from 1 to 100000, count a number of packets");
    }
    auto filter = Filter::parse(value_of(request, "filter"));
    if (!filter) {
        return to_string(filter.error());
    }
    Listener::Wish wish;
    wish.filter = std::move(*filter);
    wish.limits.packets_a_second = *rate;
    wish.limits.packets = *count;
    return wish;
}

Piece next_of(Listener& listener, std::string& out) {
    const std::string more = listener.take();
    out += more;
    if (listener.over()) {
        return Piece::Last;
    }
    return more.empty() ? Piece::NotYet : Piece::More;
}

}  // namespace

Response ControlPort::follow_packets(Listener::Wish wish, const std::string& content_type) {
    const std::shared_ptr<Listener> listener = controls_.hub.listen(std::move(wish));
    if (listener == nullptr) {
        return http::plain(503, "too many clients follow packets already\n");
    }
    Response response;
    response.content_type = content_type;
    response.follows = true;
    response.stream = [listener](std::string& out) { return next_of(*listener, out); };
    return response;
}

// GET /trace?filter=...&rules=matched|all&rate=N&count=N
Response ControlPort::trace(const Request& request) {
    if (auto refused = unknown_parameters(request, {"filter", "rules", "rate", "count"})) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "rules", {"matched", "all"})) {
        return *refused;
    }
    auto wish = listener_of(request, kTraceRate);
    if (!wish) {
        return http::plain(400, wish.error() + "\n");
    }
    const bool every_rule = value_of(request, "rules") == "all";
    const bool json = wants_json(request);
    wish->form = json ? json_form(every_rule) : text_form(every_rule);
    return follow_packets(std::move(*wish),
                          json ? "application/x-ndjson" : "text/plain; charset=utf-8");
}

// GET /capture?filter=...&interface=NAME&drops=1&rate=N&count=N&since=30s&follow=1
Response ControlPort::capture(const Request& request) {
    if (auto refused = unknown_parameters(
            request, {"filter", "interface", "drops", "rate", "count", "since", "follow"})) {
        return *refused;
    }
    for (const char* flag : {"drops", "follow"}) {
        if (auto refused = not_one_of(request, flag, {"0", "1"})) {
            return *refused;
        }
    }
    CaptureWish wanted{value_of(request, "interface"), value_of(request, "drops") == "1"};
    const bool named = !wanted.interface.empty() && wanted.interface != kOwnPackets;
    if (named && controls_.router.interfaces().find(wanted.interface) == nullptr) {
        return http::plain(400,
                           "there is no interface \"" + wanted.interface.substr(0, 60) + "\"\n");
    }
    auto wish = listener_of(request, kCaptureRate);
    if (!wish) {
        return http::plain(400, wish.error() + "\n");
    }
    constexpr std::size_t kRoom = std::size_t{8} << 20;
    wish->limits.bytes = kRoom;
    if (!value_of(request, "since").empty()) {
        return capture_past(request, std::move(*wish), std::move(wanted));
    }
    if (value_of(request, "follow") == "1") {
        return http::plain(400, "follow goes with since: without it a capture follows anyway\n");
    }
    wish->form = capture_form(controls_.router, std::move(wanted));
    return follow_packets(std::move(*wish), "application/x-pcapng");
}

// The history first; who follows listens from now on, and is told of it as a section of its own.
Response ControlPort::capture_past(const Request& request, Listener::Wish wish,
                                   CaptureWish wanted) {
    const pipeline::History& history = controls_.router.history();
    const bool follow = value_of(request, "follow") == "1";
    const auto ago = parse_ago(value_of(request, "since"));
    if (!ago) {
        return http::plain(400,
                           "since is how long ago, a day at most, such as 500ms, 30s, 5m or 1h\n");
    }
    if (!history.on()) {
        return http::plain(400,
                           "since: this router keeps no packets that have passed; from a reload "
                           "with [router] capture_ring = \"4 MiB\" on it does\n");
    }
    if (follow && wish.limits.packets != 0) {
        return http::plain(400, "count goes with since or with follow, not with both\n");
    }
    const auto past = std::make_shared<std::optional<Past>>(
        std::in_place, controls_.router,
        Past::Wish{wish.filter, wanted, now() - *ago, wish.limits.packets});
    if (!follow) {
        Response response;
        response.content_type = "application/x-pcapng";
        response.stream = [past](std::string& out) {
            return (*past)->advance(out, kPieceBytes) ? Piece::More : Piece::Last;
        };
        return response;
    }
    wanted.numbered_from = history.made();
    wish.form = capture_form(controls_.router, std::move(wanted));
    Response response = follow_packets(std::move(wish), "application/x-pcapng");
    if (response.follows) {
        response.stream = [past, present = response.stream](std::string& out) {
            if (!*past) {
                return present(out);
            }
            if (!(*past)->advance(out, kPieceBytes)) {
                past->reset();
            }
            return Piece::More;
        };
    }
    return response;
}

// GET /why?filter=...&last=N
Response ControlPort::why(const Request& request) {
    if (auto refused = unknown_parameters(request, {"filter", "last"})) {
        return *refused;
    }
    Why::Wish wish;
    const auto last = number_of(request, "last", wish.last, ~std::uint64_t{0});
    if (!last) {
        return http::plain(400, "last is a number of packets; 0: all\n");
    }
    auto filter = Filter::parse(value_of(request, "filter"));
    if (!filter) {
        return http::plain(400, to_string(filter.error()) + "\n");
    }
    wish.filter = std::move(*filter);
    wish.last = static_cast<std::size_t>(*last);
    wish.json = wants_json(request);
    Response response;
    response.content_type = wish.json ? "application/x-ndjson" : "text/plain; charset=utf-8";
    const auto records = std::make_shared<Why>(controls_.router, std::move(wish), now());
    response.stream = [records](std::string& out) {
        return records->advance(out, kPieceBytes) ? Piece::More : Piece::Last;
    };
    return response;
}

// GET /explain?packet=...&then=...&reply=1&if-rule=...&if-sysctl=...
Response ControlPort::explain_words(const Request& request) {
    if (auto refused = unknown_parameters(
            request, {"packet", "record", "then", "reply", "if-rule", "if-sysctl"})) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "reply", {"0", "1"})) {
        return *refused;
    }
    std::string body;
    for (const char* key : {"packet", "record", "then", "if-rule", "if-sysctl"}) {
        const std::string value = value_of(request, key);
        if (value.find('\n') != std::string::npos) {
            return http::plain(400, std::string(key) + " is one line\n");
        }
        body += value.empty() ? std::string() : std::string(key) + " " + value + "\n";
    }
    body += value_of(request, "reply") == "1" ? "reply\n" : "";
    return explain_lines(body, wants_json(request));
}

// POST /explain: lines of router/explain/request.hpp.
Response ControlPort::explain(const Request& request) {
    if (auto refused = unknown_parameters(request, {})) {
        return *refused;
    }
    return explain_lines(*request.body, wants_json(request));
}

Response ControlPort::explain_lines(const std::string& lines, bool json) {
    auto parsed = parse_explain_request(lines);
    if (!parsed) {
        return http::plain(400, "explain: " + parsed.error() + "\n");
    }
    parsed->json = json;
    // The copy says nothing to anybody but by its answer, whose first byte tells what it is.
    const auto work = [this, asked = *parsed] {
        controls_.log.copy_to_stderr = false;
        controls_.log.on_line = nullptr;
        const ExplainAnswer explained = nsr::router::explain(controls_.tree.context(), asked,
                                                             controls_.config.host_names, now());
        return (explained.refused ? "-" : "+") + explained.text;
    };
    Response response;
    response.later = [this, work, json](const std::function<void(Response)>& reply) {
        controls_.in_copy(work, [reply, json](const std::string& failure, std::string text) {
            if (!failure.empty()) {
                return reply(http::plain(503, failure + "\n"));
            }
            const bool good = text.front() == '+';
            text.erase(0, 1);
            if (!good) {
                return reply(http::plain(400, "explain: " + text + "\n"));
            }
            Response known = http::plain(200, std::move(text));
            known.content_type = json ? "application/x-ndjson" : known.content_type;
            reply(std::move(known));
        });
    };
    return response;
}

}  // namespace nsr::router
