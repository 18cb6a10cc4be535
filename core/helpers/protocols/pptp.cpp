// PPTP, RFC 2637: a call that both ends agreed on is carried by enhanced GRE, whose keys are the
// call ids that they told each other. One call for each control connection is followed.
// kernel: nf_conntrack_pptp.c, nf_nat_pptp.c
#include "core/helpers/protocols/pptp.hpp"

#include <array>
#include <optional>

#include "core/helpers/protocols/protocols.hpp"
#include "core/wire/bytes.hpp"

namespace nsr::helpers {

namespace {

using conntrack::Expectation;
using conntrack::PptpHelp;
using conntrack::Tuple;

constexpr std::uint16_t kControl = 1;
constexpr std::uint32_t kMagicCookie = 0x1a2b3c4d;
constexpr std::size_t kBody = 12;  // behind length, packet type, cookie, message type, 0

enum Message : std::uint16_t {
    StartSessionRequest = 1,
    StartSessionReply,
    StopSessionRequest,
    StopSessionReply,
    EchoRequest,
    EchoReply,
    OutCallRequest,
    OutCallReply,
    InCallRequest,
    InCallReply,
    InCallConnect,
    CallClearRequest,
    CallDisconnectNotify,
    WanErrorNotify,
    SetLinkInfo,
};

// The body of each message, in bytes. kernel: pptp_msg_size
constexpr std::array<std::size_t, 16> kBodyBytes = {0,  144, 144, 4,  4, 4,   8,  156,
                                                    20, 208, 12,  16, 4, 136, 28, 12};
static_assert(SetLinkInfo + 1 == kBodyBytes.size());

enum Session : std::uint8_t { NoSession, SessionError, StopRequested, Requested, Confirmed };
enum CallState : std::uint8_t {
    NoCall,
    CallError,
    OutRequested,
    OutConfirmed,
    InRequested,
    InReplied,
    InConfirmed,
    ClearRequested,
};

constexpr std::uint8_t kOk = 1;  // result codes of sessions and calls

// Where fields are in a body.
constexpr std::size_t kCallId = 0;       // the sender's; for some messages the receiver's
constexpr std::size_t kPeersCallId = 2;  // of replies
constexpr std::size_t kSessionResult = 2;
constexpr std::size_t kStopResult = 0;
constexpr std::size_t kCallResult = 4;

// A control message of `call`'s packet.
struct Control {
    std::uint16_t message = 0;
    std::string_view body;

    [[nodiscard]] std::uint16_t id(std::size_t offset) const {
        return wire::load16(reinterpret_cast<const std::uint8_t*>(body.data()) + offset);
    }
    [[nodiscard]] bool ok(std::size_t offset) const {
        return static_cast<std::uint8_t>(body[offset]) == kOk;
    }
};

std::optional<Control> read_control(std::string_view payload) {
    if (payload.size() < kBody) {
        return std::nullopt;
    }
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(payload.data());
    const std::uint16_t message = wire::load16(bytes + 8);
    const std::string_view body = payload.substr(kBody);
    const bool known = message > 0 && message < kBodyBytes.size();
    if (wire::load16(bytes + 2) != kControl || wire::load32(bytes + 4) != kMagicCookie || !known ||
        body.size() < kBodyBytes[message]) {
        return std::nullopt;
    }
    return Control{message, body};
}

Tuple gre_tuple(const Tuple& control, std::uint16_t source_key, std::uint16_t destination_key) {
    return {control.source, control.destination, source_key, destination_key, proto::kGre};
}

Expectation expect_gre(const Call& call, Direction direction, std::uint16_t source_key,
                       std::uint16_t destination_key) {
    const Tuple control = call.tuple(direction);
    Expectation expectation = conntrack::expect(call.id(), {.protocol = proto::kGre,
                                                            .source = control.source,
                                                            .destination = control.destination,
                                                            .source_port = source_key,
                                                            .destination_port = destination_key});
    expectation.source_port_given = true;
    expectation.follow = conntrack::Follow::Pptp;
    expectation.direction = direction;
    return expectation;
}

// Both directions of the call: whichever comes first. kernel: exp_gre, pptp_exp_gre
void expect_call(Call& call, std::uint16_t pac_id, std::uint16_t pns_id) {
    PptpHelp& help = call.data().pptp;
    Expectation original = expect_gre(call, Direction::Original, pns_id, pac_id);
    Expectation reply = expect_gre(call, Direction::Reply, pac_id, pns_id);
    if (call.translated()) {
        help.nat_pac_call_id = help.pac_call_id;
        original.saved_port = help.pns_call_id;
        original.tuple.source_port = help.nat_pns_call_id;
        original.tuple.destination_port = help.pac_call_id;
        reply.saved_port = help.nat_pns_call_id;
        reply.tuple.source_port = help.nat_pac_call_id;
        reply.tuple.destination_port = help.pns_call_id;
    }
    const auto expected = call.conntrack.expect_related(original, call.now);
    if (!expected) {
        return;
    }
    const auto other = call.conntrack.expect_related(reply, call.now);
    const bool keyed =
        other.ok() && call.conntrack.add_gre_keys(call.id(), original.tuple, reply.tuple);
    if (!keyed) {
        call.conntrack.unexpect(*expected);
    }
    if (other.ok() && !keyed) {
        call.conntrack.unexpect(*other);
    }
}

// May come at any time from either end.
bool says_nothing_of_calls(std::uint16_t message) {
    return message == WanErrorNotify || message == SetLinkInfo || message == EchoRequest ||
           message == EchoReply;
}

// From the client (PNS). False: it does not fit what was before. kernel: pptp_outbound_pkt
bool follow_client(Call& call, const Control& control) {
    PptpHelp& help = call.data().pptp;
    switch (control.message) {
        case StartSessionRequest:
            if (help.session != NoSession) {
                return false;
            }
            help.session = Requested;
            return true;
        case StopSessionRequest:
            help.session = StopRequested;
            return true;
        case OutCallRequest:
            if (help.session != Confirmed) {
                return false;
            }
            help.call = OutRequested;
            help.pns_call_id = control.id(kCallId);
            return true;
        case InCallReply:
            if ((help.call != InRequested && help.call != InReplied) ||
                help.pac_call_id != control.id(kPeersCallId)) {
                return false;
            }
            help.call = control.ok(kCallResult) ? InReplied : NoCall;
            help.pns_call_id = control.ok(kCallResult) ? control.id(kCallId) : help.pns_call_id;
            return true;
        case CallClearRequest:
            if (help.session != Confirmed) {
                return false;
            }
            help.call = ClearRequested;
            return true;
        default:
            return says_nothing_of_calls(control.message);
    }
}

bool accept_call(Call& call, const Control& control) {
    PptpHelp& help = call.data().pptp;
    if (help.session != Confirmed || (help.call != OutRequested && help.call != OutConfirmed) ||
        help.pns_call_id != control.id(kPeersCallId)) {
        return false;
    }
    if (!control.ok(kCallResult)) {
        help.call = NoCall;
        return true;
    }
    help.call = OutConfirmed;
    help.pac_call_id = control.id(kCallId);
    expect_call(call, help.pac_call_id, control.id(kPeersCallId));
    return true;
}

bool connect_call(Call& call, const Control& control) {
    PptpHelp& help = call.data().pptp;
    if (help.session != Confirmed || (help.call != InReplied && help.call != InConfirmed) ||
        help.pns_call_id != control.id(kCallId)) {
        return false;
    }
    help.call = InConfirmed;
    expect_call(call, help.pac_call_id, control.id(kCallId));
    return true;
}

// From the server (PAC). kernel: pptp_inbound_pkt
bool follow_server(Call& call, const Control& control) {
    PptpHelp& help = call.data().pptp;
    switch (control.message) {
        case StartSessionReply:
            if (help.session < Requested) {
                return false;
            }
            help.session = control.ok(kSessionResult) ? Confirmed : SessionError;
            return true;
        case StopSessionReply:
            if (help.session > StopRequested) {
                return false;
            }
            help.session = control.ok(kStopResult) ? NoSession : SessionError;
            return true;
        case OutCallReply:
            return accept_call(call, control);
        case InCallRequest:
            if (help.session != Confirmed) {
                return false;
            }
            help.call = InRequested;
            help.pac_call_id = control.id(kCallId);
            return true;
        case InCallConnect:
            return connect_call(call, control);
        case CallDisconnectNotify:
            help.call = NoCall;
            end_pptp_calls(call.conntrack, call.id());
            return true;
        default:
            return says_nothing_of_calls(control.message);
    }
}

Verdict write_id(Call& call, std::size_t offset, std::uint16_t id) {
    const std::array<char, 2> bytes = {static_cast<char>(id >> 8), static_cast<char>(id & 0xff)};
    const bool done = call.mangle(kBody + offset, bytes.size(), {bytes.data(), bytes.size()});
    return done ? Verdict::accept() : Verdict::drop(DropReason::HelperRefused);
}

// The server knows the client's call by the port of its control connection. kernel: the other
// pptp_outbound_pkt
Verdict translate_client(Call& call, std::uint16_t message) {
    PptpHelp& help = call.data().pptp;
    if (message == OutCallRequest) {
        help.nat_pns_call_id = help.pns_call_id;
        help.pns_call_id = call.tuple(Direction::Reply).destination_port;
    }
    const bool names_it =
        message == OutCallRequest || message == InCallReply || message == CallClearRequest;
    return names_it ? write_id(call, kCallId, help.pns_call_id) : Verdict::accept();
}

// kernel: the other pptp_inbound_pkt
Verdict translate_server(Call& call, std::uint16_t message) {
    const std::uint16_t id = call.data().pptp.nat_pns_call_id;
    switch (message) {
        case OutCallReply:
            return write_id(call, kPeersCallId, id);
        case InCallConnect:
        case WanErrorNotify:
        case CallDisconnectNotify:
        case SetLinkInfo:
            return write_id(call, kCallId, id);
        default:
            return Verdict::accept();
    }
}

// A sibling that came is over, one that did not come is not expected any more. kernel:
// destroy_sibling_or_exp
void end_sibling(conntrack::Conntrack& conntrack, ConnId master, const Tuple& tuple) {
    if (!conntrack.end_now(tuple, master)) {
        conntrack.unexpect_flow(tuple, master);
    }
}

}  // namespace

Verdict help_pptp(Call& call) {
    if (!call.established()) {
        return Verdict::accept();
    }
    const auto control = read_control(call.payload());
    if (!control) {
        return Verdict::accept();
    }
    const bool from_client = call.direction() == Direction::Original;
    const bool fits = from_client ? follow_client(call, *control) : follow_server(call, *control);
    if (!fits || !call.translated()) {
        return Verdict::accept();
    }
    return from_client ? translate_client(call, control->message)
                       : translate_server(call, control->message);
}

void end_pptp_calls(conntrack::Conntrack& conntrack, ConnId master) {
    const PptpHelp help = conntrack.help_data(master)->pptp;
    conntrack.remove_gre_keys(master);
    end_sibling(conntrack, master,
                gre_tuple(conntrack.table().tuple(master, Direction::Original), help.pns_call_id,
                          help.pac_call_id));
    end_sibling(conntrack, master,
                gre_tuple(conntrack.table().tuple(master, Direction::Reply), help.pac_call_id,
                          help.pns_call_id));
}

void follow_pptp(conntrack::Conntrack& conntrack, nat::Nat& nat, ConnId id,
                 const Expectation& expectation, Instant now) {
    const ConnId master = expectation.master;
    const bool original = expectation.direction == Direction::Original;
    const bool translated = conntrack.table()[master].has_any(conntrack::status::kNatMask);
    if (!translated) {
        if (const auto other = invert(expectation.tuple)) {
            conntrack.unexpect_flow(*other, master);
        }
        return;
    }
    const PptpHelp& help = conntrack.help_data(master)->pptp;
    const Tuple other = conntrack.table().tuple(master, opposite(expectation.direction));
    conntrack.unexpect_flow(original ? gre_tuple(other, help.pac_call_id, help.pns_call_id)
                                     : gre_tuple(other, help.nat_pns_call_id, help.nat_pac_call_id),
                            master);
    const auto bind = [&](nat::Manip manip, const IpAddress& address, bool with_key) {
        nat::Range range;
        set_address(range, address);
        if (with_key) {
            set_port(range, expectation.saved_port);
        }
        static_cast<void>(nat.bind_expected(id, manip, range, now));
    };
    bind(nat::Manip::Source, other.destination, original);
    bind(nat::Manip::Destination, other.source, !original);
}

}  // namespace nsr::helpers
