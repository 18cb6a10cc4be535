#include "router/observe/why.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdint>
#include <iterator>
#include <vector>

#include "core/base/printable.hpp"
#include "core/base/utf8.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/observe/hint.hpp"
#include "core/observe/place_text.hpp"
#include "core/packet/describe.hpp"
#include "core/packet/dissect.hpp"
#include "router/base/hex.hpp"
#include "router/observe/render.hpp"

namespace nsr::router {
namespace {

namespace json = boost::json;
using pipeline::Record;

constexpr int kMostLooks = 128;      // in one turn
constexpr int kLooksForOutcome = 8;  // what it takes to say where a packet ended

using Change = Record::Change;

std::string_view name_of(Change change) {
    constexpr std::array<std::string_view, 4> kNames = {"none", "now_dropped", "now_accepted",
                                                        "evicted"};
    return kNames[static_cast<std::size_t>(change)];
}

// All that both forms say.
struct Told {
    observe::PlaceText place;
    std::string out;
    std::string state;  // "INVALID"; empty: tracking had not seen it
    std::string whom;
    std::string hint;
};

// Empty: nothing needs to be done.
std::string hint_of(const Record& record, observe::HintContext& context) {
    switch (record.change) {
        case Change::NowAccepted:
            return {};
        case Change::Evicted:
            context.reason = DropReason::TableFull;
            return observe::hint(context);
        case Change::None:
        case Change::NowDropped:
            break;
    }
    return record.dropped ? observe::hint(context) : observe::hint_for_invalid(context);
}

// What the record says of the connection beside the packet; empty: nothing.
std::string_view explain(Change change) {
    switch (change) {
        case Change::NowDropped:
            return "packets of this connection were let through until now";
        case Change::NowAccepted:
            return "packets of this connection were dropped until now";
        case Change::Evicted:
            return "the table was full, and this connection gave way to a new one; the packet is "
                   "the one that it began with, as far as the table knew";
        case Change::None:
            break;
    }
    return {};
}

std::string_view verdict_of(const Record& record) {
    return record.change == Change::Evicted ? "evicted" : record.dropped ? "dropped" : "left";
}

// What tracking thought of it. It thought nothing where there was no room for the connection, and
// what it thought is forgotten where the router itself is reached (kernel: nf_reset_ct).
bool judged(const Record& record) {
    constexpr DropReason kWithout[] = {DropReason::TableFull, DropReason::TrackingFailed,
                                       DropReason::LocalMalformed, DropReason::LocalNoListener,
                                       DropReason::LocalNoProtocol};
    const bool without = std::find(std::begin(kWithout), std::end(kWithout), record.place.reason) !=
                         std::end(kWithout);
    return record.tracked && !(record.dropped && without);
}

Told told_of(const Record& record, const Router& router) {
    Told told;
    told.place = observe::describe(record.place, router);
    told.out = observe::interface_name(record.out, router.interfaces());
    told.state = judged(record) ? std::string(observe::name_of(record.info)) : std::string();
    told.whom = observe::by_whom(told.place, record.place);
    observe::HintContext context;
    context.reason = record.place.reason;
    context.in = told.place.in == "-" ? std::string() : told.place.in;
    context.out = told.out;
    context.in_hook = record.place.in_hook;
    context.hook = record.place.hook;
    context.family = record.place.family;
    context.tracked = record.tracked;
    context.info = record.info;
    context.rule = told.place.where;
    context.chain = told.place.chain;
    context.why_invalid = record.note.why.data();
    told.hint = hint_of(record, context);
    return told;
}

struct Numbers {
    const char* name;
    std::uint32_t value;
};

// What the window was measured with. kernel: td_end, td_maxend, td_maxwin, td_maxack
std::vector<Numbers> window_numbers(const Record& record) {
    if (!record.invalid() || !record.note.has_tcp) {
        return {};
    }
    const std::size_t sender = index_of(record.note.direction);
    const conntrack::TcpPeer& from = record.note.tcp.seen[sender];
    const conntrack::TcpPeer& to = record.note.tcp.seen[1 - sender];
    return {{"sender_td_end", from.end},
            {"sender_td_maxend", from.max_end},
            {"sender_td_maxwin", from.max_win},
            {"sender_td_maxack", from.max_ack},
            {"receiver_td_end", to.end},
            {"receiver_td_maxend", to.max_end},
            {"receiver_td_maxwin", to.max_win},
            {"receiver_td_maxack", to.max_ack},
            {"sender_scale", record.note.tcp.scale[sender]},
            {"receiver_scale", record.note.tcp.scale[1 - sender]}};
}

std::string heading(const Record& record, Instant now) {
    std::string text = "#" + std::to_string(record.number) + " at " + in_seconds(record.at) + " (" +
                       in_seconds(Instant(now - record.at)) + " s ago): ";
    if (record.dropped) {
        return text + "dropped, " + std::string(name_of(record.place.reason)) + " (" +
               std::string(explain(record.place.reason)) + ")";
    }
    switch (record.change) {
        case Change::NowAccepted:
            return text + "let through again";
        case Change::Evicted:
            return text + "evicted from the table";
        case Change::None:
        case Change::NowDropped:
            break;
    }
    return text + "INVALID, and no rule dropped it";
}

void append_text(std::string& out, const Record& record, const Told& told, Instant now) {
    const auto line = [&](const std::string& text) { out += "    " + printable(text) + "\n"; };
    out += heading(record, now) + "\n";
    if (const std::string_view changed = explain(record.change); !changed.empty()) {
        line("change: " + std::string(changed));
    }
    line("packet: " + packet_text(record));
    std::string way = "way: in " + told.place.in;
    way += told.out.empty() ? "" : " out " + told.out;
    way += told.place.stage == "-" ? "" : ", at " + told.place.stage;
    if (record.change != Change::Evicted) {
        line(way);
    }
    if (!told.whom.empty()) {
        line("refused by: " + told.whom);
    }
    if (!told.state.empty()) {
        const std::string why = record.invalid() ? std::string(record.note.why.data()) : "";
        line("state: " + told.state + (why.empty() ? "" : ", " + why) +
             (record.state.empty() ? "" : ", connection " + std::string(record.state)));
    }
    std::string window;
    for (const Numbers& number : window_numbers(record)) {
        window += std::string(window.empty() ? "" : " ") + number.name + "=" +
                  std::to_string(number.value);
    }
    if (!window.empty()) {
        line("window: " + window);
    }
    if (!told.hint.empty()) {
        line("what lets it through: " + told.hint);
    }
}

json::value text_or_null(const std::string& text) {
    return text.empty() || text == "-" ? json::value(nullptr) : json::value(text);
}

void append_json(std::string& out, const Record& record, const Told& told) {
    json::object object{{"id", record.number},
                        {"time", in_seconds(record.at)},
                        {"verdict", verdict_of(record)},
                        {"packet", packet_text(record)},
                        {"length", record.length},
                        {"in", text_or_null(told.place.in)},
                        {"out", text_or_null(told.out)},
                        {"state", text_or_null(told.state)},
                        {"hint", text_or_null(told.hint)},
                        {"zone", record.zone},
                        {"mark", record.mark},
                        {"head", hex_of(record.bytes())}};
    if (record.conn != ConnId::None) {
        object["connection_id"] = raw(record.conn);
    }
    if (record.change != Change::None) {
        object["change"] = name_of(record.change);
    }
    if (record.dropped) {
        object["reason"] = name_of(record.place.reason);
        object["explanation"] = explain(record.place.reason);
    }
    if (record.place.in_hook && record.dropped) {
        object["hook"] = name_of(record.place.hook);
        object["stage"] = pipeline::name_of(record.place.stage);
        object["chain"] = text_or_null(told.place.chain);
        object["rule"] = text_or_null(told.place.rule);
        object["from"] = text_or_null(told.place.where);
    }
    if (!record.state.empty()) {
        object["connection"] = record.state;
    }
    if (judged(record) && record.invalid()) {
        object["why"] = record.note.why.data();
        json::object window;
        for (const Numbers& number : window_numbers(record)) {
            window[number.name] = number.value;
        }
        if (!window.empty()) {
            object["window"] = std::move(window);
        }
    }
    out += as_utf8(json::serialize(object)) + "\n";
}

}  // namespace

std::string packet_text(const Record& record) {
    std::vector<std::uint8_t> bytes(record.bytes().begin(), record.bytes().end());
    bytes.resize(std::max<std::size_t>(bytes.size(), record.length));  // as long as it was
    BufferPool pool;
    const Packet packet(pool, bytes);
    return describe(packet);
}

Subject subject_of(const Record& record, const Router& router) {
    const Told told = told_of(record, router);
    Subject subject;
    subject.state = told.state;
    subject.in = told.place.in;
    subject.verdict = verdict_of(record);
    subject.change = record.change == Change::None ? "" : name_of(record.change);
    subject.zone = record.zone;
    subject.mark = record.mark;
    if (!told.out.empty()) {
        subject.out.push_back(told.out);
    }
    if (record.conn != ConnId::None) {
        subject.connection = raw(record.conn);
    }
    if (!record.dropped) {
        return subject;
    }
    subject.reason = name_of(record.place.reason);
    if (record.place.in_hook) {
        subject.hooks.emplace_back(name_of(record.place.hook));
        subject.tables.emplace_back(pipeline::name_of(record.place.stage));
    }
    if (!told.place.chain.empty()) {
        subject.chains.push_back(told.place.chain);
    }
    if (!told.place.where.empty()) {
        subject.rules.push_back(told.place.where);
    }
    return subject;
}

Why::Why(const Router& router, Wish wish, Instant now)
    : router_(router), wish_(std::move(wish)), now_(now), next_(router.recorder().made()) {
}

bool Why::fits(const Record& record) const {
    return wish_.filter.admits(record.bytes()) &&
           (!wish_.filter.needs_outcome() || wish_.filter.fits(subject_of(record, router_)));
}

// Backwards, until there are enough.
void Why::search() {
    const int each = wish_.filter.needs_outcome() ? kLooksForOutcome : 1;
    for (int looks = 0; next_ != 0 && looks < kMostLooks; looks += each) {
        const Record* record = router_.recorder().find(next_);
        if (record == nullptr) {
            next_ = 0;
            return;
        }
        if (fits(*record)) {
            found_.push_back(next_);
        }
        --next_;
        if (wish_.last != 0 && found_.size() == wish_.last) {
            next_ = 0;
        }
    }
}

bool Why::advance(std::string& out, std::size_t bytes) {
    if (next_ != 0) {
        search();
        return true;
    }
    const std::size_t before = out.size();
    while (!found_.empty() && out.size() - before < bytes) {
        const Record* record = router_.recorder().find(found_.back());
        found_.pop_back();
        if (record == nullptr) {
            continue;
        }
        const Told told = told_of(*record, router_);
        if (wish_.json) {
            append_json(out, *record, told);
        } else {
            append_text(out, *record, told, now_);
        }
    }
    return !found_.empty();
}

}  // namespace nsr::router
