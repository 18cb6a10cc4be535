// The line of a packet in the kernel's log, while it is written, and what both families put on it.
// kernel: nf_log_syslog.c
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/rules/targets/log_packet.hpp"
#include "core/wire/bytes.hpp"

namespace nsr::rules {

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
    void incomplete(std::size_t bytes) { add("INCOMPLETE [", bytes, " bytes] "); }
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
[[nodiscard]] bool log_tcp(LogLine& line, wire::ConstBytes l4, bool fragment);
[[nodiscard]] bool log_udp(LogLine& line, std::uint8_t protocol, wire::ConstBytes l4,
                           bool fragment);

// The packet from its IP header on. `quoted`: an ICMP error quotes it. False: the line ends here,
// without the mark. kernel: dump_ipv4_packet, dump_ipv6_packet
[[nodiscard]] bool log_ipv4(LogLine& line, wire::ConstBytes bytes, bool quoted);
[[nodiscard]] bool log_ipv6(LogLine& line, wire::ConstBytes bytes, bool quoted);

}  // namespace nsr::rules
