// IPv4 packets in the log.
// kernel: dump_ipv4_packet
#include <array>

#include "core/rules/targets/log_line.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

using wire::ConstBytes;

constexpr std::uint8_t kTosMask = 0x1e;         // kernel: IPTOS_TOS_MASK
constexpr std::uint8_t kPrecedenceMask = 0xe0;  // kernel: IPTOS_PREC_MASK
constexpr std::uint16_t kReservedBit = 0x8000;  // kernel: IP_CE
constexpr std::size_t kAhBytes = 12;
constexpr std::size_t kEspBytes = 8;

// Bytes of an ICMP message by its type. kernel: required_len
constexpr std::array<std::uint8_t, 19> kRequiredBytes = {4, 0,  0,  28, 28, 28, 0, 0,  4, 0,
                                                         0, 28, 28, 20, 20, 0,  0, 12, 12};

void log_header(LogLine& line, const wire::Ipv4View& view) {
    const std::uint8_t tos = view.type_of_service();
    const std::uint16_t fragment = view.flags_and_offset();
    line.add("SRC=", to_string(view.source()), " DST=", to_string(view.destination()), " ");
    line.add("LEN=", view.total_length(), " TOS=0x");
    line.hex(static_cast<std::uint32_t>(tos & kTosMask), 2, true);
    line.add(" PREC=0x");
    line.hex(tos & kPrecedenceMask, 2, true);
    line.add(" TTL=", view.time_to_live(), " ID=", view.identification(), " ");
    line.add((fragment & kReservedBit) != 0 ? "CE " : "");
    line.add((fragment & wire::ipv4::kDontFragment) != 0 ? "DF " : "");
    line.add((fragment & wire::ipv4::kMoreFragments) != 0 ? "MF " : "");
    if ((fragment & wire::ipv4::kOffsetMask) != 0) {
        line.add("FRAG:", fragment & wire::ipv4::kOffsetMask, " ");
    }
}

// AH and ESP: the index of the security association, behind `offset` bytes of a header that has so
// many.
void log_security(LogLine& line, const LogRest& rest, std::size_t offset, std::size_t header) {
    if (rest.bytes.size() < header) {
        line.incomplete(rest);
        return;
    }
    line.add("SPI=0x");
    line.hex(wire::load32(rest.bytes.data() + offset));
    line.add(" ");
}

void log_icmp_rest(LogLine& line, const wire::IcmpView& view, bool quoted) {
    namespace icmp = wire::icmp;
    const std::uint8_t type = view.type();
    if (type == icmp::kEcho || type == icmp::kEchoReply) {
        line.add("ID=", view.identifier(), " SEQ=", view.sequence_number(), " ");
        return;
    }
    if (type == icmp::kParameterProblem) {
        line.add("PARAMETER=", view.info() >> 24, " ");
        return;
    }
    if (!icmp::is_error(type)) {
        return;
    }
    if (type == icmp::kRedirect) {
        line.add("GATEWAY=", to_string(IpAddress::v4(view.info())), " ");
    }
    if (!quoted) {
        line.add("[");
        static_cast<void>(log_ipv4(line, view.payload(), true));
        line.add("] ");
    }
    if (type == icmp::kDestinationUnreachable && view.code() == icmp::kFragmentationNeeded) {
        line.add("MTU=", view.info() & 0xffffu, " ");
    }
}

void log_icmp(LogLine& line, const LogRest& rest, bool quoted) {
    const auto view = wire::IcmpView::parse(rest.bytes);
    if (!view) {
        line.incomplete(rest);
        return;
    }
    line.add("TYPE=", view->type(), " CODE=", view->code(), " ");
    if (view->type() < kRequiredBytes.size() && rest.length < kRequiredBytes[view->type()]) {
        line.incomplete(rest);
        return;
    }
    log_icmp_rest(line, *view, quoted);
}

[[nodiscard]] bool log_transport(LogLine& line, const wire::Ipv4View& view, const LogRest& rest,
                                 bool quoted) {
    const bool fragment = (view.flags_and_offset() & wire::ipv4::kOffsetMask) != 0;
    switch (view.protocol()) {
        case proto::kTcp:
            return log_tcp(line, rest, fragment);
        case proto::kUdp:
        case proto::kUdplite:
            return log_udp(line, view.protocol(), rest, fragment);
        case proto::kIcmp:
            line.add("PROTO=ICMP ");
            if (!fragment) {
                log_icmp(line, rest, quoted);
            }
            return true;
        case proto::kAh:
            if (!fragment) {
                line.add("PROTO=AH ");
                log_security(line, rest, 4, kAhBytes);
            }
            return true;
        case proto::kEsp:
            line.add("PROTO=ESP ");
            if (!fragment) {
                log_security(line, rest, 0, kEspBytes);
            }
            return true;
        default:
            line.add("PROTO=", view.protocol(), " ");
            return true;
    }
}

}  // namespace

bool log_ipv4(LogLine& line, ConstBytes bytes, bool quoted) {
    const auto view = wire::Ipv4View::parse(bytes);
    if (!view) {
        line.add("TRUNCATED");
        return false;
    }
    log_header(line, *view);
    const std::size_t header = view->header_length_bytes();
    if (line.detail.ip_options && header > wire::ipv4::kHeaderBytes) {
        if (header > bytes.size()) {
            line.add("TRUNCATED");
            return false;
        }
        line.options(view->options());
    }
    return log_transport(line, *view, LogRest(bytes, header), quoted);
}

}  // namespace nsr::rules
