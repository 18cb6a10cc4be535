// Random packets as devices hand them over: plain ones, super-packets and tunnels with work left to
// be done, from a lan 10.0.0.0/24, fd00:1::/64 towards 192.0.2.0/24, 2001:db8::/64.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/random.hpp"
#include "core/packet/packet.hpp"

namespace nsr::test {

// What a device hands over.
struct Handed {
    std::vector<std::uint8_t> frame;
    Offload offload;
};

// Packets from the lan, one in a dozen with something that makes the router answer.
class HandedPackets {
  public:
    explicit HandedPackets(std::uint64_t seed) : random_(seed) {}

    // Legal: what Linux would make. Else the numbers in the vnet header are any.
    Handed next(bool legal);

  private:
    struct Ends {
        IpAddress source;
        IpAddress destination;
    };
    using Bytes = std::vector<std::uint8_t>;

    std::uint32_t below(std::uint32_t bound) { return random_.next32() % bound; }
    bool one_in(std::uint32_t n) { return below(n) == 0; }
    Bytes data(std::size_t most);
    Ends ends(bool v4);
    Bytes transport(const Ends& ends, std::uint8_t protocol, const Bytes& payload);
    Bytes ip(const Ends& ends, std::uint8_t protocol, const Bytes& payload);
    Handed plain();
    Handed tunnel();
    Bytes inner_packet();
    void make_super(Handed& handed, std::uint8_t protocol);
    void leave_checksum(Handed& handed, std::size_t start, std::size_t offset);

    RandomSource random_;
};

}  // namespace nsr::test
