// PacketLog: who listens to -j NFLOG.
// kernel: nf_log_packet, nfnetlink_log.c
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/instant.hpp"
#include "core/packet/hook.hpp"
#include "core/packet/packet.hpp"

namespace nsr::rules {

// Valid while it is told.
struct LoggedPacket {
    const Packet& packet;
    std::uint16_t group = 0;
    std::string_view prefix;            // at most 63 characters
    std::optional<std::uint32_t> size;  // --nflog-size: octets wanted; nothing: the whole packet
    Hook hook{};
    Instant at{};
};

// Is told in the middle of a rule's work: it may read and must change nothing.
class PacketLog {
  public:
    virtual void packet_logged(const LoggedPacket& logged) = 0;

  protected:
    ~PacketLog() = default;
};

}  // namespace nsr::rules
