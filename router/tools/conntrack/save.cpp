#include "router/tools/conntrack/save.hpp"

#include "core/wire/protocol.hpp"
#include "router/tools/conntrack/values.hpp"

namespace nsr::router {
namespace {

using conntrack::Connection;
using conntrack::Tuple;
namespace status = conntrack::status;

void append_zones(std::string& out, const Entry& entry);
void append_save_ports(std::string& out, const Tuple& original, const Tuple& reply);

}  // namespace

std::string status_words(const Connection& connection) {
    std::string words;
    const auto add = [&](std::uint32_t bit, const char* word) {
        if (connection.has(bit)) {
            words += (words.empty() ? "" : ",") + std::string(word);
        }
    };
    add(status::kExpected, "EXPECTED");
    add(status::kSeenReply, "SEEN_REPLY");
    add(status::kAssured, "ASSURED");
    add(status::kFixedTimeout, "FIXED_TIMEOUT");
    return words.empty() ? "UNSET" : words;
}

void append_save(std::string& out, const Entry& entry, const Attributes& attributes, char command) {
    const Connection& connection = entry.connection;
    const Tuple& original = entry.tuple(Direction::Original);
    const Tuple& reply = entry.tuple(Direction::Reply);
    out.append(1, '-') += command;
    out += attributes.timeout ? " -t " + number(entry.seconds_left()) : "";
    out += " -u " + status_words(connection);
    append_zones(out, entry);
    out += " -s " + to_string(original.source) + " -d " + to_string(original.destination);
    const bool to_other = connection.has(status::kDstNat) && reply.source != original.destination;
    const bool from_other = connection.has(status::kSrcNat) && reply.destination != original.source;
    out += (to_other ? " -g " : " -r ") + to_string(reply.source);
    out += (from_other ? " -n " : " -q ") + to_string(reply.destination);
    const std::string_view name = protocol_name(connection.protocol);
    out += " -p " + (name == "unknown" ? number(connection.protocol) : std::string(name));
    append_save_ports(out, original, reply);
    const std::string_view state = conntrack::state_name(connection);
    if (attributes.protocol_info && !state.empty()) {
        out += " --state " + std::string(state);
    }
    // kernel: sctp_to_nlattr, which leaves the tags out at the end
    if (connection.protocol == proto::kSctp && attributes.protocol_info && !attributes.stop) {
        const auto& tags = connection.state.sctp.vtag;
        out += " --orig-vtag " + number(swapped_tag(tags[0])) + " --reply-vtag " +
               number(swapped_tag(tags[1]));
    }
    if (connection.mark != 0) {  // differs: save-mark
        out += " -m " + number(connection.mark);
    }
}

namespace {

void append_zones(std::string& out, const Entry& entry) {
    if (entry.connection.zone == 0) {
        return;
    }
    const bool original = entry.zone_of(Direction::Original) != 0;
    out += entry.zone_is_shared() ? " -w " : original ? " --orig-zone " : " --reply-zone ";
    out += number(entry.connection.zone);
}

void append_save_ports(std::string& out, const Tuple& original, const Tuple& reply) {
    const std::string icmp = original.protocol == proto::kIcmpv6 ? " --icmpv6-" : " --icmp-";
    switch (conntrack::ports_of(original.protocol)) {
        case Ports::Ports:
            out += " --sport " + number(original.source_port) + " --dport " +
                   number(original.destination_port) + " --reply-port-src " +
                   number(reply.source_port) + " --reply-port-dst " +
                   number(reply.destination_port);
            break;
        case Ports::Icmp:
            out += icmp + "type " + number(original.destination_port >> 8) + icmp + "code " +
                   number(original.destination_port & 0xffu) + icmp + "id " +
                   number(original.source_port);
            break;
        case Ports::Keys:
            out += " --srckey " + number(original.source_port) + " --dstkey " +
                   number(original.destination_port) + " --reply-key-src " +
                   number(reply.source_port) + " --reply-key-dst " + number(reply.destination_port);
            break;
        case Ports::None:
            break;
    }
}

}  // namespace

}  // namespace nsr::router
