// Blocks of ports that follow from the addresses of the hosts, so that nobody needs a log to know
// whose a port was. RFC 7422
//
// The hosts of `inside` are counted from its first address on, and so are the blocks: those of the
// range's first address, then those of the next one.
#pragma once

#include <cstdint>
#include <optional>

#include "core/nat/port_allocator.hpp"
#include "core/nat/range.hpp"

namespace nsr::nat {

inline constexpr std::uint32_t kLeastBlock = 16;  // ports
inline constexpr unsigned kMostHostBits = 24;     // of Behaviour::inside

// How the addresses and ports of a rule are divided among its hosts.
struct Division {
    std::uint64_t hosts = 0;
    std::uint64_t addresses = 0;
    std::uint32_t first_port = 0;
    std::uint32_t block_ports = 0;
    std::uint32_t blocks = 0;  // of an address

    // Has each host a block, and not too small a one?
    [[nodiscard]] bool suffices() const {
        return block_ports >= kLeastBlock && hosts <= addresses * blocks;
    }
};
// Precondition: Behaviour::inside is set, with at most kMostHostBits for the hosts.
Division divide(const Range& range);

struct HostBlock {
    IpAddress outside;
    PortSpan ports;
};
// Nothing: the host is none of `inside`, or there is no block left for it. A range without
// addresses leaves the host its own.
std::optional<HostBlock> block_of_host(const Range& range, const IpAddress& host);

}  // namespace nsr::nat
