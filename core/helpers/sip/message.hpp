// Message: one SIP message of a packet, which may be one of several in a TCP segment.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/conntrack/expect/expectation.hpp"
#include "core/helpers/call/call.hpp"
#include "core/helpers/sip/text.hpp"

namespace nsr::helpers::sip {

// Classes of expectations. kernel: enum sip_expectation_classes
enum ExpectClass : std::uint8_t { Signalling, Audio, Video, Image };

struct Message {
    Call& call;
    std::size_t offset;  // in the payload
    std::size_t length;

    // Good until the message is changed.
    [[nodiscard]] Reader reader() const {
        return {call.payload().substr(offset, length), call.packet.layout.family};
    }
    // Puts `with` in the place of `place`. False: it does not fit. kernel: mangle_packet
    [[nodiscard]] bool replace(const Place& place, std::string_view with);

    [[nodiscard]] Direction direction() const { return call.direction(); }
    // The tuple of the message's own direction, and of the other one.
    [[nodiscard]] conntrack::Tuple ours() const { return call.tuple(direction()); }
    [[nodiscard]] conntrack::Tuple theirs() const { return call.tuple(opposite(direction())); }
    [[nodiscard]] conntrack::SipHelp& help() const { return call.data().sip; }
};

// IPv6 in brackets where a port may follow. kernel: sip_sprintf_addr, sip_sprintf_addr_port
std::string address_text(const IpAddress& address, bool bracketed);
std::string endpoint_text(const IpAddress& address, Port port);

// Expects the media of the session that the message describes, and translates the description.
// kernel: process_sdp
Verdict follow_session(Message& message);

// Addresses of the connection in the headers become those of the other side. kernel: nf_nat_sip
Verdict translate_headers(Message& message);
// The registration is expected at an address that the other side can reach. kernel:
// nf_nat_sip_expect
Verdict expect_registration(Message& message, conntrack::Expectation expectation,
                            const Place& contact);

}  // namespace nsr::helpers::sip
