#include "core/rules/targets/log_line.hpp"

#include <array>
#include <utility>

#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"

namespace nsr::rules {

using wire::ConstBytes;

void LogLine::hex(std::uint32_t value, std::size_t digits, bool upper) {
    const std::string_view kDigits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    std::array<char, 8> text{};
    std::size_t at = text.size();
    do {
        text[--at] = kDigits[value & 0xf];
        value >>= 4;
    } while (value != 0 || text.size() - at < digits);
    put(std::string_view(text.data() + at, text.size() - at));
}

void LogLine::options(ConstBytes bytes) {
    add("OPT (");
    for (const std::uint8_t byte : bytes) {
        hex(byte, 2, true);
    }
    add(") ");
}

namespace {

void log_tcp_flags(LogLine& line, const wire::TcpView& view, std::uint8_t low) {
    constexpr std::array<std::pair<std::uint8_t, std::string_view>, 8> kFlags = {
        {{wire::tcp::kCwr, "CWR "},
         {wire::tcp::kEce, "ECE "},
         {wire::tcp::kUrg, "URG "},
         {wire::tcp::kAck, "ACK "},
         {wire::tcp::kPsh, "PSH "},
         {wire::tcp::kRst, "RST "},
         {wire::tcp::kSyn, "SYN "},
         {wire::tcp::kFin, "FIN "}}};
    line.add(" RES=0x");
    line.hex(static_cast<std::uint32_t>(low & 0x0e) << 2, 2, false);
    line.add((low & 0x01) != 0 ? " AE " : " ");
    for (const auto& [bits, name] : kFlags) {
        if (view.has(bits)) {
            line.add(name);
        }
    }
}

}  // namespace

bool log_tcp(LogLine& line, const LogRest& rest, bool fragment) {
    const ConstBytes l4 = rest.bytes;
    line.add("PROTO=TCP ");
    if (fragment) {
        return true;
    }
    const auto view = wire::TcpView::parse(l4);
    if (!view) {
        line.incomplete(rest);
        return false;
    }
    line.add("SPT=", view->source_port(), " DPT=", view->destination_port(), " ");
    if (line.detail.tcp_sequence) {
        line.add("SEQ=", view->sequence_number(), " ACK=", view->acknowledgment_number(), " ");
    }
    line.add("WINDOW=", view->window());
    log_tcp_flags(line, *view, l4[wire::tcp::kDataOffsetOffset]);
    line.add("URGP=", view->urgent_pointer(), " ");
    const std::size_t header = view->data_offset_bytes();
    if (!line.detail.tcp_options || header <= wire::tcp::kHeaderBytes) {
        return true;
    }
    if (header > l4.size()) {
        line.add("OPT (TRUNCATED)");
        return false;
    }
    line.options(l4.first(header).subspan(wire::tcp::kHeaderBytes));
    return true;
}

bool log_udp(LogLine& line, std::uint8_t protocol, const LogRest& rest, bool fragment) {
    line.add(protocol == proto::kUdp ? "PROTO=UDP " : "PROTO=UDPLITE ");
    if (fragment) {
        return true;
    }
    const auto view = wire::UdpView::parse(rest.bytes);
    if (!view) {
        line.incomplete(rest);
        return false;
    }
    line.add("SPT=", view->source_port(), " DPT=", view->destination_port(),
             " LEN=", view->length(), " ");
    return true;
}

}  // namespace nsr::rules
