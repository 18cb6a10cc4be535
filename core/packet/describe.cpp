#include "core/packet/describe.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/packet/dissect.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"

namespace nsr {

namespace {

using Bytes = std::span<const std::uint8_t>;

std::string describe_layout(Bytes bytes, const Layout& layout, bool quotes_too);
std::string describe_fragment(const Layout& layout);
std::string describe_transport(Bytes l4, const Layout& layout, bool quotes_too);
std::string describe_tcp(Bytes l4);
std::string describe_icmp(Bytes l4, const Layout& layout, bool quotes_too);
std::string tcp_flags(std::uint8_t flags);
std::string describe_offload(const Offload& offload);
void append_hex(std::string& out, std::uint32_t value, unsigned digits);

}  // namespace

std::string describe(const Packet& packet) {
    if (packet.empty()) {
        return "no packet";
    }
    if (packet.layout.family != Family::None) {
        return describe_layout(packet.bytes(), packet.layout, true) +
               describe_offload(packet.offload);
    }
    Layout layout;
    if (dissect_quoted(packet.bytes(), layout)) {
        return describe_layout(packet.bytes(), layout, true) + describe_offload(packet.offload);
    }
    return "not an IP packet, " + std::to_string(packet.size()) + " bytes";
}

std::string hexdump(std::span<const std::uint8_t> bytes) {
    constexpr std::size_t kPerLine = 16;
    std::string out;
    for (std::size_t line = 0; line < bytes.size(); line += kPerLine) {
        append_hex(out, static_cast<std::uint32_t>(line), 4);
        out += ' ';
        std::string text;
        for (std::size_t i = line; i < line + kPerLine; ++i) {
            out += i % 8 == 0 ? "  " : " ";
            if (i >= bytes.size()) {
                out += "  ";
                continue;
            }
            append_hex(out, bytes[i], 2);
            text += bytes[i] >= 0x20 && bytes[i] < 0x7f ? static_cast<char>(bytes[i]) : '.';
        }
        out += "  " + text + '\n';
    }
    return out;
}

namespace {

std::string describe_layout(Bytes bytes, const Layout& layout, bool quotes_too) {
    std::string out = layout.family == Family::Ipv4 ? "IPv4 " : "IPv6 ";
    out += to_string(layout.source) + " > " + to_string(layout.destination);
    out += " ttl=" + std::to_string(layout.ttl);
    if (layout.tos != 0) {
        out += " tos=0x";
        append_hex(out, layout.tos, 2);
    }
    if (layout.family == Family::Ipv4 || layout.is_fragment) {
        out += " id=" + std::to_string(layout.identification);
    }
    out += " len=" + std::to_string(layout.total_length);
    if (layout.has_ipv4_options) {
        out += " options";
    }
    out += describe_fragment(layout);
    const std::size_t start = std::min<std::size_t>(layout.l4_offset, bytes.size());
    return out + ' ' + describe_transport(bytes.subspan(start), layout, quotes_too);
}

std::string describe_fragment(const Layout& layout) {
    std::string out;
    if (layout.dont_fragment) {
        out += " DF";
    }
    if (layout.is_fragment) {
        out += " fragment " + std::to_string(layout.fragment_offset);
        out += layout.more_fragments ? "+" : "";
    }
    return out;
}

std::string_view protocol_name(std::uint8_t protocol) {
    struct Row {
        std::uint8_t protocol;
        std::string_view name;
    };
    static constexpr std::array<Row, 12> kNames = {{
        {proto::kIcmp, "ICMP"},
        {proto::kIpip, "IPIP"},
        {proto::kTcp, "TCP"},
        {proto::kUdp, "UDP"},
        {proto::kDccp, "DCCP"},
        {proto::kGre, "GRE"},
        {proto::kEsp, "ESP"},
        {proto::kAh, "AH"},
        {proto::kIcmpv6, "ICMPv6"},
        {proto::kNoNext, "nothing"},
        {proto::kSctp, "SCTP"},
        {proto::kUdplite, "UDP-Lite"},
    }};
    const auto* row = std::find_if(kNames.begin(), kNames.end(),
                                   [&](const Row& r) { return r.protocol == protocol; });
    return row == kNames.end() ? std::string_view{} : row->name;
}

std::string describe_transport(Bytes l4, const Layout& layout, bool quotes_too) {
    const std::string_view known = protocol_name(layout.protocol);
    std::string name =
        known.empty() ? "proto " + std::to_string(layout.protocol) : std::string(known);
    if (!layout.has_l4_header()) {
        return name;
    }
    if (proto::is_icmp(layout.protocol)) {
        return name + describe_icmp(l4, layout, quotes_too);
    }
    if (l4.size() < 4) {
        return name + (proto::has_ports(layout.protocol) ? " cut off" : "");
    }
    if (layout.protocol == proto::kTcp) {
        return name + describe_tcp(l4);
    }
    if (proto::has_ports(layout.protocol)) {
        name += ' ' + std::to_string(wire::load16(l4.data())) + '>' +
                std::to_string(wire::load16(l4.data() + 2));
    }
    return name;
}

std::string describe_tcp(Bytes l4) {
    const std::string ports = ' ' + std::to_string(wire::load16(l4.data())) + '>' +
                              std::to_string(wire::load16(l4.data() + 2));
    const auto header = wire::TcpView::parse(l4);
    if (!header) {
        return ports + " cut off";
    }
    std::string out = ports + ' ' + tcp_flags(header->flags());
    out += " seq=" + std::to_string(header->sequence_number());
    if (header->has(wire::tcp::kAck)) {
        out += " ack=" + std::to_string(header->acknowledgment_number());
    }
    out += " win=" + std::to_string(header->window());
    if (!header->payload().empty()) {
        out += " data=" + std::to_string(header->payload().size());
    }
    return out;
}

std::string describe_icmp(Bytes l4, const Layout& layout, bool quotes_too) {
    const auto header = wire::IcmpView::parse(l4);
    if (!header) {
        return " cut off";
    }
    std::string out =
        " type=" + std::to_string(header->type()) + " code=" + std::to_string(header->code());
    const bool v4 = layout.protocol == proto::kIcmp;
    const bool error =
        v4 ? wire::icmp::is_error(header->type()) : wire::icmpv6::is_error(header->type());
    if (!error) {
        return out + " id=" + std::to_string(header->identifier()) +
               " seq=" + std::to_string(header->sequence_number());
    }
    if (header->info() != 0) {
        out += " info=" + std::to_string(header->info());
    }
    Layout inner;
    const Family family = v4 ? Family::Ipv4 : Family::Ipv6;
    if (quotes_too && dissect_quoted(header->payload(), inner, family)) {
        out += " {" + describe_layout(header->payload(), inner, false) + '}';
    }
    return out;
}

// In tcpdump's order; "." is a lone ACK's dot, "-" none at all.
std::string tcp_flags(std::uint8_t flags) {
    constexpr std::string_view kLetters = "FSRP.UEW";
    std::string out;
    for (unsigned bit = 0; bit < 8; ++bit) {
        if ((flags >> bit & 1) != 0) {
            out += kLetters[bit];
        }
    }
    return out.empty() ? "-" : out;
}

std::string describe_offload(const Offload& offload) {
    std::string out;
    if (offload.checksum == ChecksumState::Partial) {
        out += " csum=partial";
    }
    if (offload.gso != Gso::None) {
        out += " gso=" + std::to_string(offload.gso_size);
    }
    return out;
}

void append_hex(std::string& out, std::uint32_t value, unsigned digits) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (unsigned i = digits; i > 0; --i) {
        out += kDigits[value >> 4 * (i - 1) & 0xf];
    }
}

}  // namespace

}  // namespace nsr
