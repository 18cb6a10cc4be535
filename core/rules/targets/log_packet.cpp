#include "core/rules/targets/log_packet.hpp"

#include "core/rules/targets/log_line.hpp"

namespace nsr::rules {

namespace {

// A TUN device has no MAC header. kernel: dump_mac_header
std::string_view mac_text(IfIndex in, Family family) {
    if (in != IfIndex::Loopback) {
        return " MAC= ";
    }
    return family == Family::Ipv4 ? " MAC=00:00:00:00:00:00:00:00:00:00:00:00:08:00 "
                                  : " MAC=00:00:00:00:00:00:00:00:00:00:00:00:86:dd ";
}

}  // namespace

// kernel: nf_log_dump_packet_common, nf_log_ip_packet, nf_log_ip6_packet
std::string log_text(const Packet& packet, Hook hook, const Network& network,
                     const LogDetail& detail) {
    const Meta& meta = packet.meta;
    const bool v4 = packet.layout.family == Family::Ipv4;
    std::string text = "IN=";
    const bool has_in = meta.in != IfIndex::None && hook != Hook::Output;
    if (has_in) {
        text += network.interface_name(meta.in);
    }
    text += " OUT=";
    if (meta.out != IfIndex::None && hook != Hook::Prerouting && hook != Hook::Input) {
        text += network.interface_name(meta.out);
    }
    text += has_in ? mac_text(meta.in, packet.layout.family) : " ";
    LogLine line(text, detail);
    const bool whole =
        v4 ? log_ipv4(line, packet.bytes(), false) : log_ipv6(line, packet.bytes(), false);
    if (whole && meta.mark != 0) {
        line.add("MARK=0x");
        line.hex(meta.mark);
        line.add(" ");
    }
    return text;
}

}  // namespace nsr::rules
