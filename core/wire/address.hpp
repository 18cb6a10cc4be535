// IP addresses and prefixes of both families, as values in host order.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nsr {

// The numbers are AF_INET and AF_INET6, which /proc/net/nf_conntrack prints.
enum class Family : std::uint8_t { None = 0, Ipv4 = 2, Ipv6 = 10 };

// For arrays with one element for each family. Precondition: not None.
constexpr std::size_t index_of(Family family) {
    return family == Family::Ipv6 ? 1 : 0;
}

// An IPv4 address is words[0], the rest zero; an IPv6 address is four words, most significant
// first.
struct IpAddress {
    std::array<std::uint32_t, 4> words{};
    Family family = Family::None;

    static constexpr IpAddress v4(std::uint32_t host_order) {
        return {{host_order, 0, 0, 0}, Family::Ipv4};
    }
    static constexpr IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
        return v4(static_cast<std::uint32_t>(a) << 24 | static_cast<std::uint32_t>(b) << 16 |
                  static_cast<std::uint32_t>(c) << 8 | d);
    }
    static constexpr IpAddress v6(std::uint32_t a, std::uint32_t b, std::uint32_t c,
                                  std::uint32_t d) {
        return {{a, b, c, d}, Family::Ipv6};
    }
    // From 4 or 16 bytes in wire order.
    static IpAddress from_wire(Family family, const std::uint8_t* bytes);
    void to_wire(std::uint8_t* bytes) const;

    [[nodiscard]] constexpr bool is_v4() const { return family == Family::Ipv4; }
    [[nodiscard]] constexpr bool is_v6() const { return family == Family::Ipv6; }
    // Precondition: is_v4().
    [[nodiscard]] constexpr std::uint32_t as_v4() const { return words[0]; }
    // 32 or 128.
    [[nodiscard]] constexpr unsigned bits() const { return is_v4() ? 32 : 128; }
    [[nodiscard]] constexpr unsigned size_bytes() const { return bits() / 8; }

    [[nodiscard]] constexpr bool is_unspecified() const {
        return (words[0] | words[1] | words[2] | words[3]) == 0;
    }
    [[nodiscard]] constexpr bool is_loopback() const {
        return is_v4() ? words[0] >> 24 == 127
                       : (words[0] | words[1] | words[2]) == 0 && words[3] == 1;
    }
    [[nodiscard]] constexpr bool is_multicast() const {
        return is_v4() ? words[0] >> 28 == 0xe : words[0] >> 24 == 0xff;
    }
    // 255.255.255.255 only; directed broadcasts are the routing table's business.
    [[nodiscard]] constexpr bool is_limited_broadcast() const {
        return is_v4() && words[0] == 0xffffffff;
    }
    [[nodiscard]] constexpr bool is_link_local() const {
        return is_v4() ? words[0] >> 16 == 0xa9fe : words[0] >> 22 == 0xfe80 >> 6;
    }

    friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) = default;
    friend constexpr bool operator==(const IpAddress& a, const IpAddress& b) {
        return a.family == b.family && ((a.words[0] ^ b.words[0]) | (a.words[1] ^ b.words[1]) |
                                        (a.words[2] ^ b.words[2]) | (a.words[3] ^ b.words[3])) == 0;
    }
};

// An address with a prefix length; `address` keeps its host bits (an interface address needs them).
struct Prefix {
    IpAddress address;
    std::uint8_t length = 0;

    [[nodiscard]] bool contains(const IpAddress& other) const;  // false across families
    [[nodiscard]] bool overlaps(const Prefix& other) const;
    [[nodiscard]] Prefix network() const;  // host bits cleared
    [[nodiscard]] IpAddress last() const;  // host bits set: the directed broadcast in IPv4
    // Networks of two addresses and single ones have none. kernel: RTN_BROADCAST
    [[nodiscard]] bool has_broadcast(const IpAddress& other) const;
    friend bool operator==(const Prefix&, const Prefix&) = default;
};

// Text of RFC 5952 for IPv6 (compressed), dotted quad for IPv4.
std::string to_string(const IpAddress& address);
// The form of /proc: IPv6 as eight groups of four digits, never compressed. kernel: %pI6
std::string to_proc_string(const IpAddress& address);
std::string to_string(const Prefix& prefix);

std::optional<IpAddress> parse_address(std::string_view text);
// "10.0.0.0/8", "fd00::/8"; a bare address is a host prefix.
std::optional<Prefix> parse_prefix(std::string_view text);

// The mask of a prefix length in `family`.
IpAddress mask_of(Family family, unsigned length);
IpAddress operator&(const IpAddress& a, const IpAddress& b);

}  // namespace nsr
