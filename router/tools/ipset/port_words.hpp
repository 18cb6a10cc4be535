// Ports of set elements as ipset(8) writes them: "tcp:80", "icmp:echo-request", "vrrp:0".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/wire/address.hpp"
#include "router/tools/ipset/problem.hpp"

namespace nsr::router {

struct PortSpan {
    std::uint8_t protocol = 0;
    std::uint16_t first = 0;  // ICMP: type << 8 | code
    std::uint16_t last = 0;
    [[nodiscard]] bool single() const { return first == last; }
};

// "80", "tcp:80-90", "tcp:http", "icmp:8/0", "47:0"; TCP without a protocol.
Result<PortSpan, IpsetProblem> parse_port_span(std::string_view text, Family family);
// Of bitmap:port: "80", "80-90", "udp:53"; the protocol is read and forgotten.
Result<PortSpan, IpsetProblem> parse_plain_ports(std::string_view text);
std::string port_text(std::uint8_t protocol, std::uint16_t port);

}  // namespace nsr::router
