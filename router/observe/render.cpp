#include "router/observe/render.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <iterator>
#include <utility>

#include "core/base/printable.hpp"
#include "core/base/utf8.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/pipeline/hooks.hpp"
#include "core/rules/table_id.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::router {
namespace {

namespace json = boost::json;
namespace status = conntrack::status;
using namespace observe;

// What happened, for both forms: a line of text is "place: text", an object has all the fields.
struct Row {
    std::string place;
    std::string text;
    json::object fields;
};

std::string_view name_of(routing::Destination kind) {
    constexpr std::array<std::string_view, 8> kNames = {
        "forwarded", "to the router", "broadcast",   "multicast",
        "blackhole", "prohibited",    "unreachable", "no route"};
    return kNames[static_cast<std::size_t>(kind)];
}

std::string place_text(const Place& place) {
    return std::string(nsr::name_of(place.hook)) + " " +
           std::string(pipeline::name_of(place.stage));
}

Row begin(const Place& place, std::string_view what) {
    Row row;
    row.place = place_text(place);
    row.fields = {{"what", what},
                  {"hook", nsr::name_of(place.hook)},
                  {"stage", pipeline::name_of(place.stage)}};
    return row;
}

std::string quantity(const rules::RuleCounters& counters) {
    return "packets " + std::to_string(counters.packets) + " bytes " +
           std::to_string(counters.bytes);
}

json::array status_bits(std::uint32_t bits) {
    constexpr std::pair<std::uint32_t, std::string_view> kBits[] = {
        {status::kSeenReply, "SEEN_REPLY"}, {status::kAssured, "ASSURED"},
        {status::kConfirmed, "CONFIRMED"},  {status::kSrcNat, "SRC_NAT"},
        {status::kDstNat, "DST_NAT"},       {status::kExpected, "EXPECTED"},
        {status::kDying, "DYING"},          {status::kHelper, "HELPER"}};
    json::array names;
    for (const auto& [bit, name] : kBits) {
        if ((bits & bit) != 0) {
            names.emplace_back(name);
        }
    }
    return names;
}

json::value connection_json(const std::optional<ConnectionState>& connection) {
    if (!connection) {
        return nullptr;
    }
    json::object object{{"id", raw(connection->id)},
                        {"protocol", conntrack::protocol_name(connection->original.protocol)},
                        {"status", status_bits(connection->status)},
                        {"original", tuple_text(connection->original)},
                        {"reply", tuple_text(connection->reply)}};
    if (!connection->state.empty()) {
        object["state"] = connection->state;
    }
    return object;
}

// "SYN_SENT", or for protocols without states "unreplied", "replied", "assured"
std::string state_text(const std::optional<ConnectionState>& connection) {
    if (!connection) {
        return "none";
    }
    std::string text(connection->state);
    const std::uint32_t bits = connection->status;
    const std::string_view seen = (bits & status::kAssured) != 0     ? "assured"
                                  : (bits & status::kSeenReply) != 0 ? "replied"
                                                                     : "unreplied";
    if (text.empty()) {
        return std::string(seen);
    }
    return text + " " + std::string(seen);
}

Row row_of(const RuleStep& step) {
    Row row = begin(step.place, "rule");
    const std::string where = to_string(step.where);
    row.text = "rule " + std::to_string(step.number) + " of " + step.chain +
               (step.matched ? " matches: " : " does not match: ") + step.text + " (" + where +
               ") " + quantity(step.counters);
    row.fields["table"] = rules::name_of(step.table);
    row.fields["chain"] = step.chain;
    row.fields["number"] = step.number;
    row.fields["matches"] = step.matched;
    row.fields["rule"] = step.text;
    row.fields["target"] = step.target;
    row.fields["from"] = where;
    row.fields["packets"] = step.counters.packets;
    row.fields["bytes"] = step.counters.bytes;
    return row;
}

Row row_of(const PolicyStep& step) {
    Row row = begin(step.place, "policy");
    const std::string_view policy = step.policy == rules::Policy::Drop ? "DROP" : "ACCEPT";
    row.text = "policy of " + step.chain + " " + std::string(policy);
    row.fields["table"] = rules::name_of(step.table);
    row.fields["chain"] = step.chain;
    row.fields["policy"] = policy;
    return row;
}

Row row_of(const TrackedStep& step) {
    Row row = begin(step.place, "tracked");
    row.text = observe::name_of(step.info);
    if (step.info == CtInfo::Invalid) {
        row.text += step.why.empty() ? "" : " (" + step.why + ")";
    }
    row.text +=
        ", connection before: " + state_text(step.before) + ", now: " + state_text(step.after);
    row.fields["state"] = observe::name_of(step.info);
    row.fields["direction"] = direction_of(step.info) == Direction::Reply ? "reply" : "original";
    row.fields["before"] = connection_json(step.before);
    row.fields["after"] = connection_json(step.after);
    if (!step.why.empty()) {
        row.fields["why"] = step.why;
    }
    return row;
}

Row row_of(const TranslatedStep& step) {
    Row row = begin(step.place, "translated");
    row.text =
        std::string(step.source ? "source " : "destination ") + step.from + " becomes " + step.to;
    row.fields["end"] = step.source ? "source" : "destination";
    row.fields["was"] = step.from;
    row.fields["is"] = step.to;
    return row;
}

Row row_of(const ConfirmedStep& step) {
    Row row = begin(step.place, "confirmed");
    row.text = "new connection " + connection_text(step.connection);
    row.fields["connection"] = connection_json(step.connection);
    return row;
}

Row row_of(const KeptStep& step) {
    Row row = begin(step.place, "kept");
    row.text = "kept, until the other fragments are there";
    return row;
}

Row row_of(const RoutedStep& step) {
    const routing::Decision& decision = step.decision;
    Row row;
    row.place = "route";
    row.text = name_of(decision.kind);
    row.fields = {{"what", "routed"}, {"kind", name_of(decision.kind)}};
    if (decision.kind == routing::Destination::Unicast) {
        row.text += " through " + step.interface + " to " + to_string(decision.next_hop);
        row.fields["out"] = step.interface;
        row.fields["next_hop"] = to_string(decision.next_hop);
    }
    if (decision.table != 0) {
        row.fields["table"] = decision.table;
    }
    constexpr std::uint32_t kUsual[] = {0, 254, 255};  // none, main, local
    if (std::find(std::begin(kUsual), std::end(kUsual), decision.table) == std::end(kUsual)) {
        row.text += " by table " + std::to_string(decision.table);
    }
    return row;
}

Row row_of(const DeliveredStep&) {
    Row row;
    row.place = "delivered";
    row.text = "to the router itself";
    row.fields = {{"what", "delivered"}};
    return row;
}

Row row_of(const CausedStep& step) {
    Row row;
    row.place = "causes";
    row.text = "trace id " + std::to_string(step.number);
    row.fields = {{"what", "causes"}, {"id", step.number}};
    return row;
}

Row row_of(const DroppedStep& step) {
    Row row;
    row.place = step.place ? place_text(*step.place) + " dropped" : "dropped";
    row.text = std::string(nsr::name_of(step.reason)) + " (" + std::string(explain(step.reason)) +
               "); what lets it through: " + step.hint;
    row.fields = {{"what", "dropped"},
                  {"reason", nsr::name_of(step.reason)},
                  {"explanation", explain(step.reason)},
                  {"hint", step.hint}};
    if (step.place) {
        row.fields["hook"] = nsr::name_of(step.place->hook);
        row.fields["stage"] = pipeline::name_of(step.place->stage);
    }
    return row;
}

Row row_of(const LeftStep& step) {
    Row row;
    row.place = step.interface.empty() ? "to the router itself" : "out " + step.interface;
    row.text = step.packet;
    row.fields = {{"what", "left"}, {"packet", step.packet}};
    if (!step.interface.empty()) {
        row.fields["out"] = step.interface;
    }
    return row;
}

bool shown(const Step& step, const RenderOptions& options) {
    const auto* rule = std::get_if<RuleStep>(&step);
    return rule == nullptr || rule->matched || options.every_rule;
}

Row row_of(const Step& step) {
    return std::visit([](const auto& each) { return row_of(each); }, step);
}

void append_line(std::string& out, std::string_view id, std::string_view text) {
    out += id;
    out += text;
    out += '\n';
}

}  // namespace

std::string in_seconds(Instant at) {
    std::array<char, 40> text{};
    const double seconds = std::chrono::duration<double>(at.time_since_epoch()).count();
    std::snprintf(text.data(), text.size(), "%.6f", seconds);
    return text.data();
}

std::string tuple_text(const conntrack::Tuple& tuple) {
    const bool ports = proto::has_ports(tuple.protocol);
    return endpoint_text(tuple.source, tuple.source_port, ports) + " > " +
           endpoint_text(tuple.destination, tuple.destination_port, ports);
}

std::string connection_text(const ConnectionState& connection) {
    std::string text(conntrack::protocol_name(connection.original.protocol));
    text += connection.state.empty() ? "" : " " + std::string(connection.state);
    return text + " " + tuple_text(connection.original) + ", answers " +
           tuple_text(connection.reply);
}

void append_text(std::string& out, const Observation& seen, const RenderOptions& options) {
    const std::string id = "trace id " + std::to_string(seen.number) + " ";
    std::string heading = "at " + in_seconds(seen.at) + " ";
    if (options.cause) {
        heading += seen.cause == kTimerCause ? "timer " : "#" + std::to_string(seen.cause) + " ";
    }
    if (seen.caused_by != 0) {
        heading += "because of " + std::to_string(seen.caused_by) + " ";
    }
    heading += seen.in.empty() ? "from the router itself" : "in " + seen.in;
    append_line(out, id, heading + ": " + seen.packet);
    for (const Step& step : seen.steps) {
        if (shown(step, options)) {
            const Row row = row_of(step);
            append_line(out, id, row.place + ": " + printable(row.text));
        }
    }
    if (seen.left_out != 0) {
        append_line(out, id, std::to_string(seen.left_out) + " rules are left out here");
    }
}

void append_json(std::string& out, const Observation& seen, const RenderOptions& options) {
    json::object object{{"id", seen.number},
                        {"time", in_seconds(seen.at)},
                        {"in", seen.in.empty() ? json::value(nullptr) : json::value(seen.in)},
                        {"packet", seen.packet},
                        {"verdict", observe::name_of(seen.fate)}};
    if (seen.fate == Fate::Dropped) {
        object["reason"] = nsr::name_of(seen.reason);
    }
    if (seen.caused_by != 0) {
        object["caused_by"] = seen.caused_by;
    }
    json::array steps;
    for (const Step& step : seen.steps) {
        if (shown(step, options)) {
            steps.emplace_back(std::move(row_of(step).fields));
        }
    }
    object["steps"] = std::move(steps);
    if (seen.left_out != 0) {
        object["left_out"] = seen.left_out;
    }
    out += as_utf8(json::serialize(object));
    out += '\n';
}

}  // namespace nsr::router
