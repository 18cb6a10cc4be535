#include "core/conntrack/tuple_text.hpp"

#include <charconv>
#include <cstddef>
#include <cstring>

#include "core/base/decimal.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::conntrack {

namespace {

template <std::size_t N>
char* put(char* at, const char (&name)[N]) {
    std::memcpy(at, name, N - 1);
    return at + (N - 1);
}

template <std::size_t N>
char* put(char* at, const char (&name)[N], std::uint16_t number) {
    at = write_decimal(put(at, name), number);
    *at = ' ';
    return at + 1;
}

template <std::size_t N>
char* put_hex(char* at, const char (&name)[N], std::uint16_t number) {
    constexpr std::size_t kDigits = 4;
    at = put(at, name);
    at = std::to_chars(at, at + kDigits, number, 16).ptr;
    *at = ' ';
    return at + 1;
}

}  // namespace

Ports ports_of(std::uint8_t protocol) {
    switch (protocol) {
        case proto::kTcp:
        case proto::kUdp:
        case proto::kUdplite:
        case proto::kSctp:
            return Ports::Ports;
        case proto::kIcmp:
        case proto::kIcmpv6:
            return Ports::Icmp;
        case proto::kGre:
            return Ports::Keys;
        default:
            return Ports::None;
    }
}

char* write_ports(char* at, Ports kind, std::uint16_t source, std::uint16_t destination) {
    switch (kind) {
        case Ports::Ports:
            return put(put(at, "sport=", source), "dport=", destination);
        case Ports::Icmp:
            at = put(at, "type=", static_cast<std::uint16_t>(destination >> 8));
            return put(put(at, "code=", destination & 0xff), "id=", source);
        case Ports::Keys:
            return put_hex(put_hex(at, "srckey=0x", source), "dstkey=0x", destination);
        case Ports::None:
            break;
    }
    return at;
}

}  // namespace nsr::conntrack
