// A TCP connection as a trace of its segments, one a line, and what tracking has made of each:
//
//   > S 0:0(0) win 1000            NEW SYN_SENT 120 UNREPLIED
//   < S. 0:0(0) ack 1 win 500      SYN_RECV 60
//   > . ack 1                      ESTABLISHED 432000 ASSURED
//   < R 500:500(0)                 INVALID ESTABLISHED
//   +121s                          none
//
// > is from the client, < from the server. Flags are tcpdump's (S F R P U, and . for ACK), or none;
// then from:to(length) of the data, relative to the side's first sequence number, or what this side
// would send next; what it acknowledges, relative to that of the other; the window, 1000 unless
// given; "bad" for a wrong checksum. +time lets time pass (ms, s).
// The last column, behind two blanks or more, is what must hold then, in any order: the state of
// the only connection ("none": there is none), the seconds left, ASSURED, UNREPLIED, or the
// contrary with a ! before it; what is not said is not checked. NEW, RELATED or INVALID is what the
// segment must be; if none of them is said, it belongs to a connection that has seen both
// directions. Text behind # is for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/ct_info.hpp"
#include "core/base/instant.hpp"
#include "core/conntrack/conntrack.hpp"
#include "tests/support/packet_builder.hpp"

namespace nsr::test {

// The first sequence numbers of client and server: data begins at 1000 and at 5000.
inline constexpr std::uint32_t kClientIsn = 999;
inline constexpr std::uint32_t kServerIsn = 4999;

// Who takes the segments.
class TraceWorld {
  public:
    virtual ~TraceWorld() = default;
    virtual CtInfo segment(bool from_client, const PacketBuilder& packet) = 0;
    virtual void wait(Duration time) = 0;
    [[nodiscard]] virtual const conntrack::Conntrack& tracking() const = 0;
    [[nodiscard]] virtual Instant now() const = 0;

    std::string client = "10.0.0.2:40000";
    std::string server = "198.51.100.7:80";
};

// Empty if everything was as the last column says; else the trace up to the line that was not, and
// what is wrong with it.
std::string play(TraceWorld& world, std::string_view trace);

}  // namespace nsr::test
