// Established flows and their packets, made of nothing but a number.
//
// Theory of operation
//   A flow is a client of 10.0.0.0/24, a server of 203.0.113.0 and up, and a port that no other
//   flow to that server has, so that masquerading keeps it. opening() are the packets that
//   establish it, in their order. Afterwards it has one packet in every round, from the client and
//   from the server in turns, half of the flows from the one and half from the other at a time: so
//   all that a packet says, TCP's numbers included, follows from its flow and the round, and who
//   makes packets remembers nothing of the flows.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace nsr::bench {

enum class Transport : std::uint8_t { Udp, Tcp };

// Of the flows of a load.
struct FlowKind {
    Transport transport = Transport::Udp;
    bool masqueraded = true;  // answers go to kWanAddress, else to the client itself
};

inline constexpr std::size_t kPayload = 64;
inline constexpr std::size_t kMostBytes = 40 + kPayload;
inline constexpr std::uint32_t kWanAddress = 0xc0000201;  // 192.0.2.1

struct Frame {
    std::array<std::uint8_t, kMostBytes> bytes{};
    std::size_t size = 0;
    bool from_client = true;

    [[nodiscard]] std::span<const std::uint8_t> view() const { return {bytes.data(), size}; }
};

// UDP: a query and its answer; TCP: the handshake.
constexpr unsigned opening_steps(FlowKind kind) {
    return kind.transport == Transport::Udp ? 2 : 3;
}
// Precondition: step < opening_steps(kind).
Frame opening(FlowKind kind, std::uint32_t number, unsigned step);
Frame established(FlowKind kind, std::uint32_t number, std::uint32_t round);

}  // namespace nsr::bench
