// Call: one packet of a connection that a helper follows, and what the helper may do about it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/log.hpp"
#include "core/base/random.hpp"
#include "core/base/verdict.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/conntrack/rate_limit.hpp"
#include "core/nat/nat.hpp"
#include "core/packet/packet.hpp"

namespace nsr::helpers {

struct Call {
    Packet& packet;
    conntrack::Conntrack& conntrack;
    nat::Nat& nat;
    RandomSource& random;
    LogSink& log;
    conntrack::RateLimit& log_limit;
    Instant now;

    [[nodiscard]] ConnId id() const { return packet.meta.conn; }
    [[nodiscard]] Direction direction() const { return direction_of(packet.meta.ct_info); }
    // Both ends have been heard; an error about the connection is none of its packets.
    [[nodiscard]] bool established() const {
        return packet.meta.ct_info == CtInfo::Established ||
               packet.meta.ct_info == CtInfo::EstablishedReply;
    }
    [[nodiscard]] conntrack::Tuple tuple(Direction direction) const {
        return conntrack.table().tuple(id(), direction);
    }
    // kernel: IPS_NAT_MASK
    [[nodiscard]] bool translated() const;
    [[nodiscard]] conntrack::HelpData& data() const { return *conntrack.help_data(id()); }

    // Where the payload begins, from the beginning of the packet; nothing: the transport header is
    // not all there, or nothing is behind it.
    [[nodiscard]] std::optional<std::size_t> payload_offset() const;
    // The payload. Good until the packet changes.
    [[nodiscard]] std::string_view payload() const;

    // Expects it as it is. kernel: nf_ct_expect_related
    Verdict expect(const conntrack::Expectation& expectation);
    // For a translated connection: the connection that comes is translated as this one is, and
    // goes where it would have gone. Port 0: none was free. kernel: nf_nat_exp_find_port
    struct Translated {
        Port port = 0;
        conntrack::ExpectId expected = 0;
    };
    Translated expect_translated(const conntrack::Expectation& expectation, Direction direction);
    // The same from another port on, for another way to come.
    Translated expect_translated(conntrack::Expectation expectation, Direction direction,
                                 Port first, conntrack::Follow follow);
    // Puts `text` in the place of `length` bytes at `offset` of the payload. False: it does not
    // fit. kernel: nf_nat_mangle_tcp_packet, nf_nat_mangle_udp_packet
    [[nodiscard]] bool mangle(std::size_t offset, std::size_t length, std::string_view text);
    // The same in several steps: the sequence numbers are told of all of them at the end, by the
    // length of the payload before.
    [[nodiscard]] bool mangle_quietly(std::size_t offset, std::size_t length,
                                      std::string_view text);
    void note_longer(std::size_t before);
    // The usual way of a helper with a translated connection: expect, and say so in `text(port)`.
    template <class Text>
    Verdict expect_and_mangle(const conntrack::Expectation& expectation, Direction direction,
                              std::size_t offset, std::size_t length, Text&& text);
    // Some lines of the log, however many packets there are. kernel: net_ratelimit
    void say(LogLevel level, const std::string& line);
    // The packet is dropped, and the log says why. kernel: nf_ct_helper_log
    Verdict refuse(const std::string& why);
    // A client asks for a connection to a port below kLeastClientPort of its host: the packet goes
    // on, nothing is expected, and the log says so.
    Verdict ignore_port(Port port);
};

// What clients of FTP and IRC announce is at least this: somebody who can make one of them say a
// line must not open the services of its host.
inline constexpr Port kLeastClientPort = 1024;

template <class Text>
Verdict Call::expect_and_mangle(const conntrack::Expectation& expectation, Direction to,
                                std::size_t offset, std::size_t length, Text&& text) {
    const Translated found = expect_translated(expectation, to);
    if (found.port == 0) {
        return refuse("all ports in use");
    }
    if (!mangle(offset, length, text(found.port))) {
        conntrack.unexpect(found.expected);
        return refuse("cannot mangle packet");
    }
    return Verdict::accept();
}

// The number that `text` begins with, and how long it is; overflow wraps as in the kernel. kernel:
// simple_strtoul with base 10
struct Number {
    std::uint64_t value = 0;
    std::size_t length = 0;
};
Number leading_number(std::string_view text);

}  // namespace nsr::helpers
