// What HMARK computes a mark from: parts of a packet, or of the connection it belongs to. Both
// directions of a flow give the same mark.
// kernel: struct xt_hmark_info, struct hmark_tuple
#pragma once

#include <cstdint>
#include <optional>

#include "core/rules/action_param.hpp"

namespace nsr::rules {

struct HmarkConfig {
    bool tracked = false;  // the connection's tuples, not the packet's headers
    // What is not given does not count.
    std::optional<IpAddress> source_mask;
    std::optional<IpAddress> destination_mask;
    std::optional<std::uint32_t> source_port_mask;
    std::optional<std::uint32_t> destination_port_mask;
    std::optional<std::uint32_t> spi_mask;     // of ESP and AH, in the place of both ports
    std::optional<std::uint32_t> source_port;  // or'ed to what the mask left
    std::optional<std::uint32_t> destination_port;
    std::optional<std::uint32_t> spi;
    std::optional<std::uint32_t> protocol_mask;
    std::optional<std::uint32_t> seed;
    std::optional<std::uint32_t> modulus;
    std::optional<std::uint32_t> offset;

    // Nothing: the packet keeps its mark. kernel: hmark_tg_v4, hmark_tg_v6
    [[nodiscard]] std::optional<std::uint32_t> mark_of(const ActionParam& par) const;
};

}  // namespace nsr::rules
