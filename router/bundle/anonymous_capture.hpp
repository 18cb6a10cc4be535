// A capture with other addresses and without payload.
//
// Of each packet its headers remain: IP, TCP, UDP, ICMP, and of an ICMP error those of the packet
// that it quotes. Checksums are changed along with the addresses, so that what was right stays
// right. A packet that has addresses where they would not be found (options, routing headers, other
// protocols, ICMPv6 of neighbours and groups) is left out, and counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "router/bundle/anonymizer.hpp"

namespace nsr::router {

// Nothing: it would show more than it may. `bytes` may be the beginning of the packet alone.
std::optional<std::vector<std::uint8_t>> anonymous_packet(std::span<const std::uint8_t> bytes,
                                                          const Anonymizer& anonymizer);

struct AnonymousCapture {
    std::string pcapng;
    std::size_t left_out = 0;
};
AnonymousCapture anonymous_capture(std::string_view pcapng, const Anonymizer& anonymizer);

}  // namespace nsr::router
