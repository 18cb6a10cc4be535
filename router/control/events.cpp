// What happens, told as it happens: events of connections and expectations, and packets of -j
// NFLOG.
#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <chrono>
#include <memory>
#include <utility>

#include "core/base/words.hpp"
#include "router/control/port.hpp"
#include "router/http/request.hpp"
#include "router/tools/conntrack/parse.hpp"

namespace nsr::router {

using http::Piece;
using http::Request;
using http::Response;

namespace {

constexpr const char* kEventStream = "text/event-stream";

// clang-format off
const std::initializer_list<std::string_view> kParameters = {
    "event-mask", "format", "output", "last_event_id",
    "family", "proto", "protonum", "src", "orig-src", "dst", "orig-dst", "mask-src", "mask-dst",
    "reply-src", "reply-dst", "sport", "dport", "orig-port-src", "orig-port-dst", "reply-port-src",
    "reply-port-dst", "icmp-type", "icmp-code", "icmp-id", "state", "mark", "zone", "orig-zone",
    "reply-zone", "src-nat", "dst-nat", "any-nat"};
// What GET /events selects by: the filters of conntrack -E. They stand behind the others.
constexpr std::size_t kBeforeFilters = 4;

constexpr std::uint8_t kOfConnections = 0b00111;
constexpr std::uint8_t kOfExpectations = 0b11000;
constexpr std::pair<std::string_view, std::uint8_t> kKinds[] = {
    {"NEW", 1u << 0}, {"UPDATES", 1u << 1}, {"UPDATE", 1u << 1}, {"DESTROY", 1u << 2},
    {"EXP_NEW", 1u << 3}, {"EXP_DESTROY", 1u << 4}, {"ALL", kOfConnections | kOfExpectations}};
// clang-format on

bool is_filter(std::string_view name) {
    return std::find(kParameters.begin() + kBeforeFilters, kParameters.end(), name) !=
           kParameters.end();
}

// A bit for each kind; the refusal of what is none.
Result<std::uint8_t, Response> kinds_of(const std::string& words) {
    std::uint8_t kinds = 0;
    for (const std::string_view word : split(words, ',')) {
        const auto* row = std::find_if(std::begin(kKinds), std::end(kKinds),
                                       [&](const auto& each) { return each.first == word; });
        if (row == std::end(kKinds)) {
            return http::plain(400,
                               "event-mask is ALL or some of NEW, UPDATES, DESTROY, EXP_NEW, "
                               "EXP_DESTROY with commas between them, not \"" +
                                   words.substr(0, 60) + "\"\n");
        }
        kinds |= row->second;
    }
    return kinds;
}

// The words of `conntrack -E` that ask for the same.
std::vector<std::string> event_words(const Request& request) {
    std::vector<std::string> words{"-E"};
    for (const auto& [name, value] : request.query) {
        if (is_filter(name) || name == "output") {
            words.push_back("--" + name + "=" + value);
        }
    }
    return words;
}

EventFilter filter_of(const ConntrackArgs& args) {
    const bool expectations = args.table == ConntrackTable::Expectations;
    EventFilter filter;
    filter.connections = !expectations;
    filter.expectations = expectations;
    filter.filter = args.filter;
    if (!expectations) {
        const ConntrackOutput& output = args.output;
        filter.kinds = static_cast<std::uint8_t>((output.event_new ? 1u : 0u) |
                                                 (output.event_update ? 2u : 0u) |
                                                 (output.event_destroy ? 4u : 0u));
    }
    return filter;
}

// Filters are about connections, so with one of them expectations are not told of.
Result<EventFilter, Response> filter_of(const Request& request, const ConntrackArgs& args) {
    const bool filters = std::any_of(request.query.begin(), request.query.end(), [](const auto& q) {
        return is_filter(q.first) && q.first != "family";
    });
    EventFilter filter;
    filter.filter = args.filter;
    filter.expectations = !filters;
    filter.kinds = kOfConnections | kOfExpectations;
    if (request.query.contains("event-mask")) {
        const auto kinds = kinds_of(value_of(request, "event-mask"));
        if (!kinds) {
            return kinds.error();
        }
        filter.kinds = *kinds;
        if (filters && (*kinds & kOfConnections) == 0) {
            return http::plain(400, "expectations can be selected by family alone\n");
        }
    }
    return filter;
}

}  // namespace

// Streams that wait are not woken for each event, however many come: a hundred readers are a
// hundred writes.
constexpr auto kGather = std::chrono::milliseconds(2);

struct ControlPort::EventTimers {
    explicit EventTimers(boost::asio::io_context& loop) : linger(loop), gather(loop) {}

    boost::asio::steady_timer linger;  // events are kept when nobody reads them any more
    boost::asio::steady_timer gather;
    bool gathering = false;
};

ControlPort::ControlPort(Controls controls)
    : controls_(std::move(controls)),
      note_pressure_(controls_.engine.loop(), Pressure::kPeriod, [this] { note_pressure(); }),
      events_(controls_.router, controls_.config.control.events),
      packets_(controls_.router),
      timers_(std::make_unique<EventTimers>(controls_.engine.loop())) {
    events_.on_event = packets_.on_packet = [this] { wake_readers(); };
    events_.on_deserted = [this] { linger(); };
}

void ControlPort::note_pressure() {
    const auto note = [this] { controls_.pressure.note(now(), controls_.router.connections()); };
    if (controls_.others == nullptr) {
        note();
    } else {
        controls_.others->gather(note);
    }
}

ControlPort::~ControlPort() {
    events_.on_deserted = nullptr;
}

void ControlPort::wake_readers() {
    if (std::exchange(timers_->gathering, true)) {
        return;
    }
    timers_->gather.expires_after(kGather);
    timers_->gather.async_wait([this](const boost::system::error_code& error) {
        if (!error && controls_.wake) {
            timers_->gathering = false;
            controls_.wake();
        }
    });
}

void ControlPort::linger() {
    timers_->linger.expires_after(std::chrono::seconds(controls_.config.control.events_linger));
    timers_->linger.async_wait([this](const boost::system::error_code& error) {
        if (!error) {
            events_.stop_if_deserted();
        }
    });
}

// GET /events?proto=tcp&event-mask=NEW,DESTROY&format=text&output=extended
Response ControlPort::follow_events(const Request& request) {
    if (auto refused = unknown_parameters(request, kParameters)) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "format", {"json", "text"})) {
        return *refused;
    }
    const bool text = value_of(request, "format") == "text";
    if (!text && request.query.contains("output")) {
        return http::plain(400, "output is of format=text\n");
    }
    const auto args = parse_conntrack_query(event_words(request));
    if (!args) {
        return http::plain(400, args.error() + "\n");
    }
    auto filter = filter_of(request, *args);
    if (!filter) {
        return filter.error();
    }
    const auto form = text ? EventStream::Form::Text : EventStream::Form::Json;
    return stream_events(request, {*filter, form, args->output, {}});
}

// conntrack -E, with the arguments of the tool.
Response ControlPort::conntrack_events(const Request& request, const ConntrackArgs& args) {
    return stream_events(request,
                         {filter_of(args), EventStream::Form::Text, args.output, std::nullopt});
}

Response ControlPort::stream_events(const Request& request, EventStream::Wish wish) {
    const auto last = last_event_of(request);
    if (!last) {
        return last.error();
    }
    greet_ctnetlink();
    wish.last = *last;
    Response response;
    response.content_type = kEventStream;
    response.follows = true;
    response.stream = [stream = std::make_shared<EventStream>(events_, std::move(wish))](
                          std::string& out) { return stream->advance(out, kPieceBytes); };
    return response;
}

// GET /nflog/5?format=pcap
Response ControlPort::follow_packets(const Request& request) {
    if (auto refused = unknown_parameters(request, {"format", "last_event_id"})) {
        return *refused;
    }
    if (auto refused = not_one_of(request, "format", {"json", "pcap"})) {
        return *refused;
    }
    const std::string name = request.path.substr(request.path.rfind('/') + 1);
    PacketStream::Wish wish;
    const char* end = name.data() + name.size();
    const auto [stop, error] = std::from_chars(name.data(), end, wish.group);
    if (error != std::errc{} || stop != end || request.path != "/nflog/" + name) {
        return http::plain(404, "a group of NFLOG is a number from 0 to 65535, as in /nflog/5\n");
    }
    const auto last = last_event_of(request);
    if (!last) {
        return last.error();
    }
    wish.last = *last;
    const bool pcap = value_of(request, "format") == "pcap";
    wish.form = pcap ? PacketStream::Form::Pcap : PacketStream::Form::Json;
    Response response;
    response.content_type = pcap ? "application/vnd.tcpdump.pcap" : kEventStream;
    response.follows = true;
    response.stream = [stream = std::make_shared<PacketStream>(packets_, wish)](std::string& out) {
        return stream->advance(out, kPieceBytes);
    };
    return response;
}

}  // namespace nsr::router
