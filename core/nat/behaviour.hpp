// Behaviour: how a NAT treats the endpoints of its inside hosts, in the words of RFC 4787 (UDP),
// RFC 5382 (TCP) and RFC 6888 (carriers). A rule that says nothing of it behaves as Linux does.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/wire/address.hpp"

namespace nsr::nat {

// What of the other end a mapping or a filter depends on. RFC 4787 4.1, 5
enum class Dependence : std::uint8_t { Endpoint, Address, AddressAndPort };

// Which port an endpoint gets outside. RFC 4787 4.2, RFC 7422
enum class PortChoice : std::uint8_t {
    Preserve,    // its own, if it is free
    Parity,      // its own, else an even one for an even one
    Contiguous,  // and the one behind it for the one behind it, as RTP and RTCP want it
    Sequential,  // the next one
    Random,
    Blocks,         // one of a block that its host has for itself
    Deterministic,  // the same, and the block follows from the host's address
};

// What an inside host sees of another one whose outside endpoint it talks to. RFC 4787 6
enum class Hairpin : std::uint8_t { No, External, Internal };

// Which packets restart the timeouts of UDP: those that go out, that come in, or all. RFC 4787 4.3
enum class Refresh : std::uint8_t { Outbound, Inbound, Both };

// What becomes of ICMP errors about its connections. RFC 5508 4
enum class IcmpErrors : std::uint8_t { Translate, Drop };

// Of several addresses outside, a host has one for all that it does, or any. RFC 4787 4.1
enum class Pooling : std::uint8_t { Paired, Arbitrary };

struct Behaviour {
    Dependence mapping = Dependence::AddressAndPort;
    Dependence filtering = Dependence::AddressAndPort;
    PortChoice ports = PortChoice::Preserve;
    Hairpin hairpin = Hairpin::No;
    bool no_udp = false;              // datagrams of UDP do not get out
    std::uint16_t block_ports = 512;  // of a host, with Blocks; 0: as many as there are for each
    std::uint16_t session_limit = 0;  // connections of a host at a time; 0: any number
    Refresh refresh = Refresh::Both;
    IcmpErrors icmp_errors = IcmpErrors::Translate;
    Pooling pooling = Pooling::Paired;
    Prefix inside;  // of the hosts; valid iff Deterministic
    friend bool operator==(const Behaviour&, const Behaviour&) = default;
};

// NATs that people meet, by name.
struct Profile {
    std::string_view name;
    Behaviour behaviour;
};
std::span<const Profile> profiles();

// "endpoint-independent", "address-dependent", "address-and-port-dependent"
std::string_view name_of(Dependence dependence);
std::string_view name_of(PortChoice choice);
std::string_view name_of(Hairpin hairpin);
std::span<const std::string_view> dependence_names();
std::span<const std::string_view> port_choice_names();
std::span<const std::string_view> hairpin_names();
std::span<const std::string_view> refresh_names();
std::span<const std::string_view> icmp_error_names();
std::span<const std::string_view> pooling_names();

}  // namespace nsr::nat
