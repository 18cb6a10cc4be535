// The options that -p brings along.
#include "core/wire/protocol.hpp"
#include "router/tools/conntrack/options.hpp"

namespace nsr::router {
namespace {

using Draft = ConntrackDraft;

constexpr int kOriginal = 0;
constexpr int kReply = 1;

template <int kDirection, bool kSource>
Problem read_port(Draft& draft, const std::string& value) {
    TupleFilter& tuple = draft.args.filter.tuples[kDirection];
    draft.reply_protocol = draft.reply_protocol || kDirection == kReply;
    return read_number(value, kSource ? tuple.source_port : tuple.destination_port, "a port");
}

template <TupleFilter ConntrackArgs::*kTuple, bool kSource>
Problem read_expected_port(Draft& draft, const std::string& value) {
    TupleFilter& tuple = draft.args.*kTuple;
    return read_number(value, kSource ? tuple.source_port : tuple.destination_port, "a port");
}

Problem read_state(Draft& draft, const std::string& value) {
    const std::uint8_t protocol = draft.args.filter.protocol.value_or(proto::kTcp);
    const auto state = state_by_name(protocol, value);
    if (!state) {
        const char* name = protocol == proto::kTcp    ? "unknown TCP"
                           : protocol == proto::kSctp ? "unknown SCTP"
                                                      : "Unknown DCCP";
        return Problem(std::string(name) + " state `" + shown(value) + "'");
    }
    draft.args.filter.state = value == "LISTEN" ? "SYN_SENT2" : value;
    draft.args.change.protocol.state = state;
    return {};
}

// Beyond the tool, where no protocol was named: a state of any.
Problem read_any_state(Draft& draft, const std::string& value) {
    const std::string state = upper(value);
    if (!state_by_name(proto::kTcp, state) && !state_by_name(proto::kSctp, state)) {
        return Problem("unknown state `" + shown(value) + "'");
    }
    draft.args.filter.state = state == "LISTEN" ? "SYN_SENT2" : state;
    return {};
}

template <int kDirection>
Problem read_tag(Draft& draft, const std::string& value) {
    std::optional<std::uint32_t>& tag = draft.args.change.protocol.tag[kDirection];
    Problem problem = read_number(value, tag, "a verification tag");
    tag = tag ? std::optional(swapped_tag(*tag)) : tag;
    return problem;
}

// Whose packets go in the original direction: nobody tracks it.
Problem read_role(Draft& /*draft*/, const std::string& value) {
    return value == "client" || value == "server"
               ? Problem()
               : Problem("Unknown DCCP role `" + shown(value) + "'");
}

template <class T>
Problem read_icmp(Draft& draft, const std::string& value, std::optional<T>& into,
                  const char* what) {
    const TupleFilter& reply = draft.args.filter.tuples[kReply];
    draft.reply_protocol = draft.reply_protocol || reply.source || reply.destination;
    return read_number(value, into, what);
}
Problem read_type(Draft& draft, const std::string& value) {
    return read_icmp(draft, value, draft.args.filter.icmp_type, "an ICMP type");
}
Problem read_code(Draft& draft, const std::string& value) {
    return read_icmp(draft, value, draft.args.filter.icmp_code, "an ICMP code");
}
Problem read_icmp_id(Draft& draft, const std::string& value) {
    return read_icmp(draft, value, draft.args.filter.icmp_id, "an ICMP id");
}

constexpr auto V = Takes::Value;
constexpr auto kExpected = &ConntrackArgs::expected;
constexpr auto kMask = &ConntrackArgs::expected_mask;

// clang-format off
constexpr ConntrackOption kSourcePort = {0x101, {"sport", "orig-port-src"}, V, ".==..=.--!!!---", true, read_port<kOriginal, true>};
constexpr ConntrackOption kDestinationPort = {0x102, {"dport", "orig-port-dst"}, V, ".==..=.--!!!---", true, read_port<kOriginal, false>};
constexpr ConntrackOption kReplySourcePort = {0x103, {"reply-port-src"}, V, ".==..=.---!!---", true, read_port<kReply, true>};
constexpr ConntrackOption kReplyDestinationPort = {0x104, {"reply-port-dst"}, V, ".==..=.---!!---", true, read_port<kReply, false>};
constexpr ConntrackOption kMaskSourcePort = {0x105, {"mask-port-src"}, V, "---------!-----", false, read_expected_port<kMask, true>};
constexpr ConntrackOption kMaskDestinationPort = {0x106, {"mask-port-dst"}, V, "---------!-----", false, read_expected_port<kMask, false>};
constexpr ConntrackOption kState = {0x107, {"state"}, V, ".!!....--------", true, read_state};
constexpr ConntrackOption kTupleSourcePort = {0x108, {"tuple-port-src"}, V, "---------!-----", false, read_expected_port<kExpected, true>};
constexpr ConntrackOption kTupleDestinationPort = {0x109, {"tuple-port-dst"}, V, "---------!-----", false, read_expected_port<kExpected, false>};

constexpr ConntrackOption kPorts[] = {
    kSourcePort, kDestinationPort, kReplySourcePort, kReplyDestinationPort, kMaskSourcePort,
    kMaskDestinationPort, kTupleSourcePort, kTupleDestinationPort};
constexpr ConntrackOption kTcp[] = {
    kSourcePort, kDestinationPort, kReplySourcePort, kReplyDestinationPort, kMaskSourcePort,
    kMaskDestinationPort, kState, kTupleSourcePort, kTupleDestinationPort};
constexpr ConntrackOption kSctp[] = {
    kSourcePort, kDestinationPort, kReplySourcePort, kReplyDestinationPort, kMaskSourcePort,
    kMaskDestinationPort, kState, kTupleSourcePort, kTupleDestinationPort,
    {0x10a, {"orig-vtag"}, V, "-!!.-.---!-----", false, read_tag<kOriginal>},
    {0x10b, {"reply-vtag"}, V, "-!!.-.---!-----", false, read_tag<kReply>}};
constexpr ConntrackOption kDccp[] = {
    kSourcePort, kDestinationPort, kReplySourcePort, kReplyDestinationPort, kMaskSourcePort,
    kMaskDestinationPort, kState, kTupleSourcePort, kTupleDestinationPort,
    {0x10c, {"role"}, V, "-!!--.---!-----", false, read_role}};
constexpr ConntrackOption kIcmp[] = {
    {0x111, {"icmp-type"}, V, ".!!..!.--------", true, read_type},
    {0x112, {"icmp-code"}, V, ".!!..!.--------", true, read_code},
    {0x113, {"icmp-id"}, V, ".......--------", true, read_icmp_id}};
constexpr ConntrackOption kIcmpv6[] = {
    {0x111, {"icmpv6-type"}, V, ".!!..!.--------", true, read_type},
    {0x112, {"icmpv6-code"}, V, ".!!..!.--------", true, read_code},
    {0x113, {"icmpv6-id"}, V, ".......--------", true, read_icmp_id}};
constexpr ConntrackOption kGre[] = {
    {0x121, {"srckey", "orig-key-src"}, V, ".==..=.--!!!---", true, read_port<kOriginal, true>},
    {0x122, {"dstkey", "orig-key-dst"}, V, ".==..=.--!!!---", true, read_port<kOriginal, false>},
    {0x123, {"reply-key-src"}, V, ".==..=.--!!!---", true, read_port<kReply, true>},
    {0x124, {"reply-key-dst"}, V, ".==..=.--!!!---", true, read_port<kReply, false>},
    {0x125, {"mask-key-src"}, V, "---------!-----", false, read_expected_port<kMask, true>},
    {0x126, {"mask-key-dst"}, V, "---------!-----", false, read_expected_port<kMask, false>},
    {0x127, {"tuple-key-src"}, V, "---------!-----", false, read_expected_port<kExpected, true>},
    {0x128, {"tuple-key-dst"}, V, "---------!-----", false, read_expected_port<kExpected, false>}};
// What parameters of a request may ask for without a protocol.
constexpr ConntrackOption kAny[] = {
    kSourcePort, kDestinationPort, kReplySourcePort, kReplyDestinationPort,
    {0x107, {"state"}, V, ".---.-.--------", true, read_any_state},
    {0x111, {"icmp-type", "icmpv6-type"}, V, ".---.-.--------", true, read_type},
    {0x112, {"icmp-code", "icmpv6-code"}, V, ".---.-.--------", true, read_code},
    {0x113, {"icmp-id", "icmpv6-id"}, V, ".---.-.--------", true, read_icmp_id}};
// clang-format on

}  // namespace

std::span<const ConntrackOption> protocol_options(std::optional<std::uint8_t> protocol) {
    if (!protocol) {
        return kAny;
    }
    switch (*protocol) {
        case proto::kTcp:
            return kTcp;
        case proto::kUdp:
        case proto::kUdplite:
            return kPorts;
        case proto::kSctp:
            return kSctp;
        case proto::kDccp:
            return kDccp;
        case proto::kIcmp:
            return kIcmp;
        case proto::kIcmpv6:
            return kIcmpv6;
        case proto::kGre:
            return kGre;
        default:
            return {};
    }
}

}  // namespace nsr::router
