#include "core/rules/targets/log_packet.hpp"

#include <array>

#include "core/packet/dissect.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"

namespace nsr::rules {

namespace {

using wire::ConstBytes;

class Dump {
  public:
    Dump(std::string& line, const LogDetail& detail) : line_(line), detail_(detail) {}

    void packet(ConstBytes bytes, const Layout& layout, bool quoted);
    // A TCP or UDP header was cut short: the kernel then leaves out the mark.
    [[nodiscard]] bool cut_short() const { return cut_short_; }

  private:
    void ipv4(ConstBytes bytes, const Layout& layout);
    void ipv6(ConstBytes bytes, const Layout& layout);
    void transport(ConstBytes l4, const Layout& layout, bool quoted);
    void tcp(ConstBytes l4, bool fragment);
    void udp(ConstBytes l4, const Layout& layout);
    void icmp(ConstBytes l4, bool fragment, bool quoted);
    void icmpv6(ConstBytes l4, bool fragment, bool quoted);
    void security(ConstBytes l4, const Layout& layout);
    void quotation(ConstBytes bytes);
    void incomplete(std::size_t bytes) { add("INCOMPLETE [", bytes, " bytes] "); }
    void options(ConstBytes bytes);

    template <class... Parts>
    void add(const Parts&... parts) {
        (put(parts), ...);
    }
    void put(std::string_view text) { line_ += text; }
    void put(std::size_t number) { line_ += std::to_string(number); }

    std::string& line_;
    const LogDetail& detail_;
    bool cut_short_ = false;
};

std::string hex_padded(std::uint32_t value, std::size_t digits, bool upper) {
    std::string text = hex(value).substr(2);
    text.insert(0, digits > text.size() ? digits - text.size() : 0, '0');
    for (char& c : text) {
        c = upper && c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return text;
}

void Dump::packet(ConstBytes bytes, const Layout& layout, bool quoted) {
    if (layout.family == Family::Ipv4) {
        ipv4(bytes, layout);
    } else {
        ipv6(bytes, layout);
    }
    const ConstBytes l4 =
        bytes.size() > layout.l4_offset ? bytes.subspan(layout.l4_offset) : ConstBytes{};
    transport(l4, layout, quoted);
}

// kernel: dump_ipv4_packet
void Dump::ipv4(ConstBytes bytes, const Layout& layout) {
    const auto view = wire::Ipv4View::parse(bytes);
    if (!view) {
        add("TRUNCATED");
        return;
    }
    add("SRC=", nsr::to_string(layout.source), " DST=", nsr::to_string(layout.destination), " ");
    add("LEN=", view->total_length(), " TOS=0x", hex_padded(layout.tos & 0x1eu, 2, true),
        " PREC=0x", hex_padded(layout.tos & 0xe0u, 2, true), " TTL=", layout.ttl,
        " ID=", view->identification(), " ");
    if (layout.dont_fragment) {
        add("DF ");
    }
    if (layout.more_fragments) {
        add("MF ");
    }
    if (layout.fragment_offset != 0) {
        add("FRAG:", layout.fragment_offset / 8u, " ");
    }
    constexpr std::size_t kPlain = 20;
    if (detail_.ip_options && layout.l4_offset > kPlain && bytes.size() >= layout.l4_offset) {
        options(bytes.subspan(kPlain, layout.l4_offset - kPlain));
    }
}

// kernel: dump_ipv6_packet
void Dump::ipv6(ConstBytes bytes, const Layout& layout) {
    const auto view = wire::Ipv6View::parse(bytes);
    if (!view) {
        add("TRUNCATED");
        return;
    }
    add("SRC=", to_proc_string(layout.source), " DST=", to_proc_string(layout.destination), " ");
    add("LEN=", view->payload_length() + wire::ipv6::kHeaderBytes, " TC=", view->traffic_class(),
        " HOPLIMIT=", view->hop_limit(), " FLOWLBL=", view->flow_label(), " ");
    if (layout.is_fragment) {
        add("FRAG:", layout.fragment_offset, " ", layout.more_fragments ? "INCOMPLETE " : "",
            "ID:", hex_padded(layout.identification, 8, false), " ");
    }
}

void Dump::transport(ConstBytes l4, const Layout& layout, bool quoted) {
    const bool fragment = layout.fragment_offset != 0;
    switch (layout.protocol) {
        case proto::kTcp:
            return tcp(l4, fragment);
        case proto::kUdp:
        case proto::kUdplite:
            return udp(l4, layout);
        case proto::kIcmp:
            return icmp(l4, fragment, quoted);
        case proto::kIcmpv6:
            return icmpv6(l4, fragment, quoted);
        case proto::kAh:
        case proto::kEsp:
            return security(l4, layout);
        default:
            add("PROTO=", layout.protocol, " ");
    }
}

// kernel: nf_log_dump_tcp_header
void Dump::tcp(ConstBytes l4, bool fragment) {
    add("PROTO=TCP ");
    if (fragment) {
        return;
    }
    const auto view = wire::TcpView::parse(l4);
    if (!view) {
        cut_short_ = true;
        return incomplete(l4.size());
    }
    add("SPT=", view->source_port(), " DPT=", view->destination_port(), " ");
    if (detail_.tcp_sequence) {
        add("SEQ=", view->sequence_number(), " ACK=", view->acknowledgment_number(), " ");
    }
    const std::uint8_t low = l4[wire::tcp::kDataOffsetOffset];
    const auto reserved = static_cast<std::uint32_t>(low & 0x0e) << 2;
    add("WINDOW=", view->window(), " RES=0x", hex_padded(reserved, 2, false), " ");
    add((low & 0x01) != 0 ? "AE " : "");
    constexpr std::array<std::pair<std::uint8_t, std::string_view>, 8> kFlags = {
        {{wire::tcp::kCwr, "CWR "},
         {wire::tcp::kEce, "ECE "},
         {wire::tcp::kUrg, "URG "},
         {wire::tcp::kAck, "ACK "},
         {wire::tcp::kPsh, "PSH "},
         {wire::tcp::kRst, "RST "},
         {wire::tcp::kSyn, "SYN "},
         {wire::tcp::kFin, "FIN "}}};
    for (const auto& [bits, name] : kFlags) {
        if (view->has(bits)) {
            add(name);
        }
    }
    add("URGP=", view->urgent_pointer(), " ");
    if (detail_.tcp_options && !view->options().empty()) {
        options(view->options());
    }
}

// kernel: nf_log_dump_udp_header
void Dump::udp(ConstBytes l4, const Layout& layout) {
    add(layout.protocol == proto::kUdp ? "PROTO=UDP " : "PROTO=UDPLITE ");
    if (layout.fragment_offset != 0) {
        return;
    }
    const auto view = wire::UdpView::parse(l4);
    if (!view) {
        cut_short_ = true;
        return incomplete(l4.size());
    }
    add("SPT=", view->source_port(), " DPT=", view->destination_port(), " LEN=", view->length(),
        " ");
}

void Dump::icmp(ConstBytes l4, bool fragment, bool quoted) {
    add("PROTO=ICMP ");
    if (fragment) {
        return;
    }
    if (l4.size() < 4) {
        return incomplete(l4.size());
    }
    const std::uint8_t type = l4[0];
    add("TYPE=", type, " CODE=", l4[1], " ");
    const auto view = wire::IcmpView::parse(l4);
    if (!view) {
        return incomplete(l4.size());
    }
    if (type == wire::icmp::kEcho || type == wire::icmp::kEchoReply) {
        add("ID=", view->identifier(), " SEQ=", view->sequence_number(), " ");
    } else if (type == wire::icmp::kParameterProblem) {
        add("PARAMETER=", view->info() >> 24, " ");
    } else if (type == wire::icmp::kRedirect) {
        add("GATEWAY=", nsr::to_string(IpAddress::v4(view->info())), " ");
    }
    const bool quotes = wire::icmp::is_error(type) && type != wire::icmp::kParameterProblem;
    if (quotes && !quoted) {
        quotation(view->payload());
    }
    if (type == wire::icmp::kDestinationUnreachable &&
        view->code() == wire::icmp::kFragmentationNeeded) {
        add("MTU=", view->info() & 0xffffu, " ");
    }
}

void Dump::icmpv6(ConstBytes l4, bool fragment, bool quoted) {
    add("PROTO=ICMPv6 ");
    if (fragment) {
        return;
    }
    const auto view = wire::IcmpView::parse(l4);
    if (!view) {
        return incomplete(l4.size());
    }
    add("TYPE=", view->type(), " CODE=", view->code(), " ");
    if (view->type() == wire::icmpv6::kEchoRequest || view->type() == wire::icmpv6::kEchoReply) {
        add("ID=", view->identifier(), " SEQ=", view->sequence_number(), " ");
    }
    if (view->type() == wire::icmpv6::kParameterProblem) {
        add("POINTER=", hex_padded(view->info(), 8, false), " ");
    }
    if (view->type() >= wire::icmpv6::kDestinationUnreachable &&
        view->type() <= wire::icmpv6::kParameterProblem && !quoted) {
        quotation(view->payload());
    }
    if (view->type() == wire::icmpv6::kPacketTooBig) {
        add("MTU=", view->info(), " ");
    }
}

// AH and ESP: the index of the security association.
void Dump::security(ConstBytes l4, const Layout& layout) {
    const bool ah = layout.protocol == proto::kAh;
    const std::size_t offset = ah ? 4 : 0;
    add(ah ? "PROTO=AH " : "PROTO=ESP ");
    if (layout.fragment_offset != 0) {
        return;
    }
    if (l4.size() < offset + 8) {
        return incomplete(l4.size());
    }
    add("SPI=", hex(wire::load32(l4.data() + offset)), " ");
}

void Dump::quotation(ConstBytes bytes) {
    Layout inner;
    const bool outer = cut_short_;
    add("[");
    if (dissect_quoted(bytes, inner)) {
        packet(bytes, inner, true);
    } else {
        add("TRUNCATED");
    }
    add("] ");
    cut_short_ = outer;
}

void Dump::options(ConstBytes bytes) {
    add("OPT (");
    for (const std::uint8_t byte : bytes) {
        add(hex_padded(byte, 2, true));
    }
    add(") ");
}

std::string_view loopback_mac(Family family) {
    return family == Family::Ipv4 ? " MAC=00:00:00:00:00:00:00:00:00:00:00:00:08:00 "
                                  : " MAC=00:00:00:00:00:00:00:00:00:00:00:00:86:dd ";
}

}  // namespace

// kernel: nf_log_dump_packet_common; a TUN device has no MAC header
std::string log_text(const Packet& packet, Hook hook, const Network& network,
                     const LogDetail& detail) {
    std::string line = "IN=";
    const bool has_in = packet.meta.in != IfIndex::None && hook != Hook::Output;
    const bool has_out =
        packet.meta.out != IfIndex::None && hook != Hook::Prerouting && hook != Hook::Input;
    if (has_in) {
        line += network.interface_name(packet.meta.in);
    }
    line += " OUT=";
    if (has_out) {
        line += network.interface_name(packet.meta.out);
    }
    if (has_in) {
        line += packet.meta.in == IfIndex::Loopback ? loopback_mac(packet.layout.family) : " MAC= ";
    } else {
        line += " ";
    }
    Dump dump(line, detail);
    dump.packet(packet.bytes(), packet.layout, false);
    if (packet.meta.mark != 0 && !dump.cut_short()) {
        line += "MARK=" + hex(packet.meta.mark) + " ";
    }
    return line;
}

}  // namespace nsr::rules
