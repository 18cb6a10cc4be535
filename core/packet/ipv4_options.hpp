// IPv4 options (RFC 791 3.1): are they well formed, what a router writes into them, and what it
// repeats of them in its answers.
//
// Theory of operation
//   A packet's options are read when it is routed, and record route and timestamp options with room
//   for it get an entry at once, whether the packet is for the router or not:
//   record_in_ipv4_options() writes the address that the packet was sent to or, if that is not the
//   router's, the one the router would answer its sender from. In the record route option
//   of a forwarded packet the address of the way out takes its place behind FORWARD:
//   restamp_ipv4_options(). In between the header checksum is that of the packet as it came in, and
//   so it is quoted in errors.
//   An answer of the router's own repeats record route, timestamp and CIPSO options of what it
//   answers, with one more entry of its own: echo_ipv4_options(). Source routes are refused, so
//   they are never answered. A timestamp option has entries of times (flag 0), of addresses with
//   times (1), or of times beside addresses that the sender wrote (3), of which a router fills in
//   only its own.
// kernel: __ip_options_compile, ip_forward_options, __ip_options_echo, ip_options_build
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "core/packet/packet.hpp"

namespace nsr {

struct Ipv4OptionFacts {
    bool source_routed = false;
    std::uint16_t problem_pointer = 0;  // offset of the first malformed byte in the header; 0: none
};

// `header` is the whole IPv4 header.
Ipv4OptionFacts check_ipv4_options(std::span<const std::uint8_t> header);

// What a router writes into an entry.
struct Ipv4Stamp {
    IpAddress address;
    std::uint32_t time_of_day_ms = 0;  // since midnight UT
    // An address or broadcast address of the router's own; empty: none is. kernel: inet_addr_type
    std::function<bool(const IpAddress&)> is_own;
};

// One entry into each option that has room; the overflow of a full timestamp option is counted up;
// bytes behind the end of the list become zero. Of a malformed list the options before the problem
// are filled in. The header checksum is left as it was. Says where in the header the recorded route
// has its new address; 0: nowhere.
std::size_t record_in_ipv4_options(Packet& packet, const Ipv4Stamp& stamp);
// The address of the way out, in the place (if any) of the one that was recorded; the header
// checksum is right afterwards.
void restamp_ipv4_options(Packet& packet, std::size_t recorded_at, const IpAddress& address);

// A list of options, filled up to a multiple of four bytes.
struct Ipv4Options {
    std::array<std::uint8_t, 40> bytes{};
    std::size_t size = 0;
};

// What an answer to `about` repeats; `stamp.address` is its source. Nothing if an option has room
// for half an entry: then there is no answer. Precondition: they were recorded in.
std::optional<Ipv4Options> echo_ipv4_options(const Packet& about, const Ipv4Stamp& stamp);

}  // namespace nsr
