// Is the transport checksum of a packet right?
#pragma once

#include "core/packet/packet.hpp"

namespace nsr {

// What a checksum is taken over.
struct ChecksumScope {
    std::size_t covered = 0;        // bytes of the transport part, from its first on
    bool has_pseudo_header = true;  // ICMP has none
    // As the pseudo header has them. RFC 9293 3.1, RFC 8200 8.1
    std::uint8_t protocol = 0;
    std::uint32_t length = 0;
};

// All of the transport part, with the pseudo header of `protocol`.
ChecksumScope whole_transport(const Packet& packet, std::uint8_t protocol);

// The sum over what is in `scope` is right, or the device has seen to it, or will. Not whether
// there is one: a UDP field of 0 is the caller's business. kernel: nf_ip_checksum, nf_ip6_checksum
bool checksum_right(const Packet& packet, const ChecksumScope& scope);

}  // namespace nsr
