// What a tuple has beside its addresses, as /proc/net/nf_conntrack and conntrack(8) write it.
// kernel: print_tuple
#pragma once

#include <cstddef>
#include <cstdint>

namespace nsr::conntrack {

// What a protocol has in the place of ports.
enum class Ports : std::uint8_t { None, Ports, Icmp, Keys };

// As the kernel's files know them.
Ports ports_of(std::uint8_t protocol);

inline constexpr std::size_t kPortsTextBytes = 32;

// "sport=1000 dport=53 ", "type=8 code=0 id=7 ", "srckey=0x1 dstkey=0x2 " or nothing, at most
// kPortsTextBytes of it, without an end. -> behind the last byte
char* write_ports(char* at, Ports kind, std::uint16_t source, std::uint16_t destination);

}  // namespace nsr::conntrack
