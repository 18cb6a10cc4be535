#include "core/conntrack/tuple_text.hpp"

#include <charconv>
#include <cstring>
#include <string_view>

#include "core/wire/protocol.hpp"

namespace nsr::conntrack {

namespace {

char* put(char* at, std::string_view name, std::uint16_t number, int base = 10) {
    constexpr std::size_t kDigits = 5;
    std::memcpy(at, name.data(), name.size());
    at += name.size();
    at = std::to_chars(at, at + kDigits, number, base).ptr;
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
            return put(put(at, "srckey=0x", source, 16), "dstkey=0x", destination, 16);
        case Ports::None:
            break;
    }
    return at;
}

}  // namespace nsr::conntrack
