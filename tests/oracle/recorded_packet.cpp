#include "tests/oracle/recorded_packet.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace oracle {
namespace {

// One's complement checksum; 0 over data that carries its own right one.
std::uint16_t checksum(Bytes bytes) {
    if (bytes.size() % 2 != 0) {
        bytes.push_back(0);
    }
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < bytes.size(); i += 2) {
        sum += load16(bytes, i);
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<std::uint16_t>(~sum);
}

Bytes slice(const Bytes& bytes, std::size_t from, std::size_t to) {
    to = std::min(to, bytes.size());
    from = std::min(from, to);
    return {bytes.begin() + static_cast<std::ptrdiff_t>(from),
            bytes.begin() + static_cast<std::ptrdiff_t>(to)};
}

std::string hex(const Bytes& bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        std::array<char, 3> digits{};
        std::snprintf(digits.data(), digits.size(), "%02x", byte);
        text += digits.data();
    }
    return text;
}

std::uint32_t load32(const Bytes& bytes, std::size_t at) {
    return static_cast<std::uint32_t>(load16(bytes, at)) << 16 | load16(bytes, at + 2);
}

std::string number(std::uint64_t value) {
    return std::to_string(value);
}

}  // namespace

std::uint16_t load16(const Bytes& bytes, std::size_t at) {
    return static_cast<std::uint16_t>(bytes[at] << 8 | bytes[at + 1]);
}

RecordedPacket::RecordedPacket(Bytes bytes) : raw(std::move(bytes)) {
    version = raw.empty() ? 0 : raw[0] >> 4;
    if (version == 4 && raw.size() >= 20) {
        parse_v4();
    } else if (version == 6 && raw.size() >= 40) {
        parse_v6();
    }
}

void RecordedPacket::parse_v4() {
    const std::uint16_t fragment = load16(raw, 6);
    total_length = load16(raw, 2);
    is_fragment = (fragment & 0x3fff) != 0;
    fragment_offset = (fragment & 0x1fffu) * 8;
    protocol = raw[9];
    source = nsr::IpAddress::from_wire(nsr::Family::Ipv4, raw.data() + 12);
    destination = nsr::IpAddress::from_wire(nsr::Family::Ipv4, raw.data() + 16);
    l4_offset = (raw[0] & 15u) * 4;
}

void RecordedPacket::parse_v6() {
    total_length = 40u + load16(raw, 4);
    source = nsr::IpAddress::from_wire(nsr::Family::Ipv6, raw.data() + 8);
    destination = nsr::IpAddress::from_wire(nsr::Family::Ipv6, raw.data() + 24);
    unsigned next = raw[6];
    std::size_t at = 40;
    while ((next == 0 || next == 43 || next == 44 || next == 60) && at + 8 <= raw.size()) {
        if (next == 44) {
            const std::uint16_t fragment = load16(raw, at + 2);
            is_fragment = (fragment & 0xfff9) != 0;
            fragment_offset = fragment & 0xfff8u;
            fragment_id_at = at + 4;
            next = raw[at];
            at += 8;
            if (fragment_offset != 0) {
                break;
            }
        } else {
            next = raw[at];
            at += (raw[at + 1] + 1u) * 8;
        }
    }
    protocol = next;
    l4_offset = at;
}

Bytes RecordedPacket::pseudo_header(std::size_t length) const {
    const auto high = static_cast<std::uint8_t>(length >> 8);
    const auto low = static_cast<std::uint8_t>(length);
    const auto proto = static_cast<std::uint8_t>(*protocol);
    Bytes header = version == 4 ? slice(raw, 12, 20) : slice(raw, 8, 40);
    if (version == 4) {
        header.insert(header.end(), {0, proto, high, low});
    } else {
        header.insert(header.end(), {0, 0, high, low, 0, 0, 0, proto});
    }
    return header;
}

std::map<std::string, bool> RecordedPacket::checksums() const {
    std::map<std::string, bool> result;
    if (!l4_offset) {
        return result;
    }
    if (version == 4) {
        result["ip"] = checksum(slice(raw, 0, *l4_offset)) == 0;
    }
    if (is_fragment) {
        return result;
    }
    const Bytes payload = slice(raw, *l4_offset, total_length);
    const auto with_pseudo_header = [&] {
        Bytes all = pseudo_header(payload.size());
        all.insert(all.end(), payload.begin(), payload.end());
        return checksum(std::move(all)) == 0;
    };
    if (protocol == 6u && payload.size() >= 20) {
        result["tcp"] = with_pseudo_header();
    } else if (protocol == 17u && payload.size() >= 8) {
        result["udp"] = (load16(payload, 6) == 0 && version == 4) || with_pseudo_header();
    } else if (protocol == 1u && version == 4 && payload.size() >= 4) {
        result["icmp"] = checksum(payload) == 0;
    } else if (protocol == 58u && version == 6 && payload.size() >= 4) {
        result["icmpv6"] = with_pseudo_header();
    }
    return result;
}

bool RecordedPacket::is_icmp_error() const {
    if (!l4_offset || fragment_offset != 0 || raw.size() <= *l4_offset) {
        return false;
    }
    const unsigned type = raw[*l4_offset];
    const bool error4 = type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
    return (version == 4 && protocol == 1u && error4) ||
           (version == 6 && protocol == 58u && type < 128);
}

std::optional<std::pair<std::size_t, std::size_t>> RecordedPacket::ports() const {
    if (!l4_offset || fragment_offset != 0) {
        return std::nullopt;
    }
    const std::size_t at = *l4_offset;
    const std::size_t left = raw.size() > at ? raw.size() - at : 0;
    const unsigned proto = *protocol;
    const bool has_ports = proto == 6 || proto == 17 || proto == 132 || proto == 136 || proto == 33;
    if (has_ports && left >= 4) {
        return std::pair(at, at + 2);
    }
    if ((proto == 1 || proto == 58) && left >= 8 && !is_icmp_error()) {
        return std::pair(at + 4, at + 4);
    }
    return std::nullopt;
}

std::string RecordedPacket::show() const {
    if (!l4_offset) {
        return "raw " + hex(raw);
    }
    std::string text =
        "IPv" + number(version) + " " + to_string(*source) + " > " + to_string(*destination) + " ";
    if (version == 4) {
        const std::uint16_t fragment = load16(raw, 6);
        text += "ttl=" + number(raw[8]) + " tos=" + number(raw[1]) +
                " id=" + number(load16(raw, 4)) + " len=" + number(total_length) + " ";
        if ((fragment & 0x4000) != 0) {
            text += "DF ";
        }
        if (is_fragment) {
            text += std::string((fragment & 0x2000) != 0 ? "MF " : "") +
                    "off=" + number(fragment_offset) + " ";
        }
    } else {
        text += "hlim=" + number(raw[7]) + " len=" + number(total_length) + " ";
        if (is_fragment) {
            text += "off=" + number(fragment_offset) + " ";
        }
    }
    text += show_transport();
    for (const auto& [name, right] : checksums()) {
        text += right ? "" : " BADSUM(" + name + ")";
    }
    return text;
}

std::string RecordedPacket::show_transport() const {
    const Bytes p = slice(raw, *l4_offset, raw.size());
    if (fragment_offset == 0 && protocol == 6u && p.size() >= 20) {
        std::string flags;
        for (unsigned i = 0; i < 8; ++i) {
            if ((p[13] >> i & 1) != 0) {
                flags += "FSRPAUEC"[i];
            }
        }
        return "TCP " + number(load16(p, 0)) + ">" + number(load16(p, 2)) + " " + flags +
               " seq=" + number(load32(p, 4)) + " ack=" + number(load32(p, 8)) +
               " win=" + number(load16(p, 14)) + " hl=" + number((p[12] >> 4) * 4u);
    }
    if (fragment_offset == 0 && (protocol == 17u || protocol == 136u) && p.size() >= 8) {
        return "UDP " + number(load16(p, 0)) + ">" + number(load16(p, 2)) +
               " len=" + number(load16(p, 4)) + " csum=" + hex(slice(p, 6, 8));
    }
    if (fragment_offset == 0 && (protocol == 1u || protocol == 58u) && p.size() >= 8) {
        std::string text =
            "ICMP type=" + number(p[0]) + " code=" + number(p[1]) + " rest=" + hex(slice(p, 4, 8));
        if (is_icmp_error()) {
            text += " {" + RecordedPacket(slice(p, 8, p.size())).show() + "}";
        }
        return text;
    }
    return "proto=" + number(*protocol) + " data[" + number(p.size()) + "] " + hex(slice(p, 0, 24));
}

}  // namespace oracle
