#include "tests/support/packet_fields.hpp"

#include <algorithm>
#include <cstdio>
#include <span>

#include "core/packet/describe.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::test {
namespace {

using Fields = std::vector<PacketField>;
using Bytes = std::span<const std::uint8_t>;

std::string hex(std::uint32_t value, int digits) {
    char text[16];
    std::snprintf(text, sizeof text, "0x%0*x", digits, value);
    return text;
}

std::string hex_bytes(Bytes bytes) {
    constexpr std::size_t kMost = 24;
    std::string text = std::to_string(bytes.size()) + " bytes";
    for (const std::uint8_t byte : bytes.first(std::min(kMost, bytes.size()))) {
        text += ' ' + hex(byte, 2).substr(2);
    }
    return text + (bytes.size() > kMost ? " ..." : "");
}

void append_ip(Fields& fields, const Packet& packet) {
    const Layout& layout = packet.layout;
    const Bytes bytes = packet.bytes();
    const auto number = [&](const char* name, std::uint32_t value) {
        fields.emplace_back(name, std::to_string(value));
    };
    fields.emplace_back("tos", hex(layout.tos, 2));
    number("length", layout.total_length);
    number("id", layout.identification);
    number("dont_fragment", layout.dont_fragment ? 1 : 0);
    number("more_fragments", layout.more_fragments ? 1 : 0);
    number("fragment_offset", layout.fragment_offset);
    number("ttl", layout.ttl);
    number("protocol", layout.protocol);
    if (layout.family == Family::Ipv4) {
        fields.emplace_back("ip_checksum", hex(wire::load16(&bytes[10]), 4));
    }
    fields.emplace_back("source", to_string(layout.source));
    fields.emplace_back("destination", to_string(layout.destination));
    const std::size_t fixed = layout.family == Family::Ipv4 ? 20 : 40;
    if (layout.l4_offset > fixed) {
        fields.emplace_back("ip_options",
                            hex_bytes(bytes.subspan(fixed, layout.l4_offset - fixed)));
    }
}

std::size_t append_tcp(Fields& fields, Bytes l4) {
    const std::size_t header = std::min<std::size_t>(l4.size(), (l4[12] >> 4) * 4u);
    fields.emplace_back("source_port", std::to_string(wire::load16(&l4[0])));
    fields.emplace_back("destination_port", std::to_string(wire::load16(&l4[2])));
    fields.emplace_back("seq", std::to_string(wire::load32(&l4[4])));
    fields.emplace_back("ack", std::to_string(wire::load32(&l4[8])));
    fields.emplace_back("flags", hex(l4[13], 2));
    fields.emplace_back("win", std::to_string(wire::load16(&l4[14])));
    fields.emplace_back("checksum", hex(wire::load16(&l4[16]), 4));
    fields.emplace_back("urgent", std::to_string(wire::load16(&l4[18])));
    if (header > 20) {
        fields.emplace_back("options", hex_bytes(l4.subspan(20, header - 20)));
    }
    return std::max<std::size_t>(header, 20);
}

std::size_t append_udp(Fields& fields, Bytes l4) {
    fields.emplace_back("source_port", std::to_string(wire::load16(&l4[0])));
    fields.emplace_back("destination_port", std::to_string(wire::load16(&l4[2])));
    fields.emplace_back("udp_length", std::to_string(wire::load16(&l4[4])));
    fields.emplace_back("checksum", hex(wire::load16(&l4[6]), 4));
    return 8;
}

std::size_t append_icmp(Fields& fields, Bytes l4) {
    fields.emplace_back("type", std::to_string(l4[0]));
    fields.emplace_back("code", std::to_string(l4[1]));
    fields.emplace_back("checksum", hex(wire::load16(&l4[2]), 4));
    fields.emplace_back("rest", hex(wire::load32(&l4[4]), 8));
    return 8;
}

// How many bytes of it were named.
std::size_t append_transport(Fields& fields, const Layout& layout, Bytes l4) {
    if (!layout.has_l4_header()) {
        return 0;
    }
    if (layout.protocol == proto::kTcp && l4.size() >= 20) {
        return append_tcp(fields, l4);
    }
    if (layout.protocol == proto::kUdp && l4.size() >= 8) {
        return append_udp(fields, l4);
    }
    if (proto::is_icmp(layout.protocol) && l4.size() >= 8) {
        return append_icmp(fields, l4);
    }
    return 0;
}

const std::string* value_of(const Fields& fields, const std::string& name) {
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [&](const PacketField& field) { return field.first == name; });
    return found == fields.end() ? nullptr : &found->second;
}

}  // namespace

std::vector<PacketField> fields_of(const Packet& packet) {
    Fields fields;
    append_ip(fields, packet);
    const std::size_t named = append_transport(fields, packet.layout, packet.l4());
    fields.emplace_back("payload", hex_bytes(packet.l4().subspan(named)));
    return fields;
}

std::string difference(const Packet& expected, const Packet& got) {
    const Fields wanted = fields_of(expected);
    const Fields found = fields_of(got);
    std::string text;
    const auto line = [&](const std::string& name) {
        const std::string* left = value_of(wanted, name);
        const std::string* right = value_of(found, name);
        if (left == nullptr || right == nullptr || *left != *right) {
            text += "  " + name + ": expected " + (left == nullptr ? "none" : *left) + ", got " +
                    (right == nullptr ? "none" : *right) + "\n";
        }
    };
    for (const auto& [name, value] : wanted) {
        line(name);
    }
    for (const auto& [name, value] : found) {
        if (value_of(wanted, name) == nullptr) {
            line(name);
        }
    }
    text += "expected " + describe(expected) + "\n" + hexdump(expected.bytes());
    text += "got      " + describe(got) + "\n" + hexdump(got.bytes());
    text.pop_back();
    return text;
}

}  // namespace nsr::test
