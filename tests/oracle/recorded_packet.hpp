// A raw IP packet as the comparison sees it: a light parse that never fails, independent of the
// router's own parser, so that both cannot be wrong in the same way.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/wire/address.hpp"

namespace oracle {

using Bytes = std::vector<std::uint8_t>;

struct RecordedPacket {
    explicit RecordedPacket(Bytes bytes);

    Bytes raw;
    unsigned version = 0;
    std::optional<unsigned> protocol;
    std::optional<std::size_t> l4_offset;  // unset: no IP header could be read
    std::size_t total_length = 0;
    bool is_fragment = false;
    unsigned fragment_offset = 0;
    std::size_t fragment_id_at = 0;  // of the IPv6 fragment header's identification; 0: none
    std::optional<nsr::IpAddress> source;
    std::optional<nsr::IpAddress> destination;

    // Every checksum that can be verified on this packet, by name, and whether it is right.
    [[nodiscard]] std::map<std::string, bool> checksums() const;
    [[nodiscard]] bool is_icmp_error() const;
    // Where the ports are; both the same place for the identifier of an ICMP query.
    [[nodiscard]] std::optional<std::pair<std::size_t, std::size_t>> ports() const;
    [[nodiscard]] std::string show() const;

  private:
    void parse_v4();
    void parse_v6();
    [[nodiscard]] Bytes pseudo_header(std::size_t length) const;
    [[nodiscard]] std::string show_transport() const;
};

std::uint16_t load16(const Bytes& bytes, std::size_t at);

}  // namespace oracle
