// PacketFilter: a tcpdump expression, asked of IP packets.
//
// libpcap compiles it (pcap-filter(7)) for packets without a link header. Names are not looked up:
// a router that runs asks no name service. Services that iptables knows by name stand for their
// ports; other names are refused before libpcap sees them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/base/result.hpp"

namespace nsr::router {

// What is wrong with a text, and where: from 1.
struct FilterError {
    std::size_t column = 0;
    std::string message;
};

class PacketFilter {
  public:
    // Passes everything.
    PacketFilter() = default;
    // `column` is where the expression begins in what the user wrote.
    static Result<PacketFilter, FilterError> compile(std::string_view expression,
                                                     std::size_t column = 1);

    [[nodiscard]] bool passes(std::span<const std::uint8_t> packet) const;
    [[nodiscard]] bool passes_all() const { return program_ == nullptr; }

  private:
    struct Program;
    std::shared_ptr<const Program> program_;
};

}  // namespace nsr::router
