// The line of a packet in the kernel's log, while it is written, and what both families put on it.
// kernel: nf_log_syslog.c
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/rules/targets/log_detail.hpp"
#include "core/wire/bytes.hpp"

namespace nsr::rules {

// What lies behind an offset of a packet. Where the offset is beyond the end, `length` is what the
// kernel's unsigned arithmetic makes of it.
struct LogRest {
    LogRest(wire::ConstBytes packet, std::size_t offset)
        : bytes(packet.subspan(std::min(offset, packet.size()))),
          length(static_cast<std::uint32_t>(packet.size() - offset)) {}
    wire::ConstBytes bytes;
    std::uint32_t length;
};

class LogLine {
  public:
    LogLine(std::string& text, const LogDetail& wanted) : detail(wanted), text_(text) {}

    template <class... Parts>
    void add(const Parts&... parts) {
        (put(parts), ...);
    }
    void hex(std::uint32_t value) { hex(value, 1, false); }
    void hex(std::uint32_t value, std::size_t digits, bool upper);
    // A header of which only so much is there.
    void incomplete(const LogRest& rest) { add("INCOMPLETE [", rest.length, " bytes] "); }
    void options(wire::ConstBytes bytes);

    const LogDetail& detail;

  private:
    void put(std::string_view text) { text_ += text; }
    void put(std::size_t number) { text_ += std::to_string(number); }

    std::string& text_;
};

// Each writes a transport header and says whether it was there: where it is cut short the line
// ends, without the mark. `fragment`: not the first, so that there is no header.
// kernel: nf_log_dump_tcp_header, nf_log_dump_udp_header
[[nodiscard]] bool log_tcp(LogLine& line, const LogRest& rest, bool fragment);
[[nodiscard]] bool log_udp(LogLine& line, std::uint8_t protocol, const LogRest& rest,
                           bool fragment);

// The packet from its IP header on. `quoted`: an ICMP error quotes it. False: the line ends here,
// without the mark. kernel: dump_ipv4_packet, dump_ipv6_packet
[[nodiscard]] bool log_ipv4(LogLine& line, wire::ConstBytes bytes, bool quoted);
[[nodiscard]] bool log_ipv6(LogLine& line, wire::ConstBytes bytes, bool quoted);

}  // namespace nsr::rules
