// Packets as one writes them down: tcp("10.0.0.2:40000", "198.51.100.7:80").syn().seq(1000)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/packet/packet.hpp"

namespace nsr::test {

// Describes a packet; bytes() makes it, with right checksums unless told otherwise.
class PacketBuilder {
  public:
    PacketBuilder(std::uint8_t protocol, std::string_view source, std::string_view destination);

    PacketBuilder& ttl(std::uint8_t value);
    PacketBuilder& tos(std::uint8_t value);
    PacketBuilder& id(std::uint16_t value);
    PacketBuilder& dont_fragment(bool value = true);
    // TCP
    PacketBuilder& syn();
    PacketBuilder& ack(std::uint32_t number);
    PacketBuilder& fin();
    PacketBuilder& rst();
    PacketBuilder& flags(std::uint8_t value);
    PacketBuilder& seq(std::uint32_t number);
    PacketBuilder& win(std::uint16_t value);
    PacketBuilder& options(std::vector<std::uint8_t> bytes);
    // ICMP
    PacketBuilder& icmp(std::uint8_t type, std::uint8_t code, std::uint32_t rest);
    PacketBuilder& quoting(const PacketBuilder& inner, std::size_t bytes = 28);
    // everybody
    PacketBuilder& payload(std::size_t bytes);
    PacketBuilder& data(std::string_view text);
    PacketBuilder& bad_checksum();
    PacketBuilder& truncated(std::size_t bytes);  // cut off this many bytes at the end
    PacketBuilder& fragment(std::uint16_t offset, bool more, std::size_t length);
    // a super-packet as a TUN device hands it over: checksum Partial
    PacketBuilder& gso(std::uint16_t segment_bytes);

    [[nodiscard]] std::vector<std::uint8_t> bytes() const;
    [[nodiscard]] Packet packet(BufferPool& pool) const;

  private:
    [[nodiscard]] std::vector<std::uint8_t> transport() const;
    [[nodiscard]] std::vector<std::uint8_t> transport_header() const;
    void finish_checksum(std::vector<std::uint8_t>& transport) const;

    std::uint8_t protocol_;
    IpAddress source_;
    IpAddress destination_;
    std::uint16_t source_port_ = 0;
    std::uint16_t destination_port_ = 0;
    std::uint8_t ttl_ = 64;
    std::uint8_t tos_ = 0;
    std::uint16_t id_ = 1;
    bool dont_fragment_ = false;
    std::uint8_t flags_ = 0;
    std::uint32_t seq_ = 0;
    std::uint32_t ack_ = 0;
    std::uint16_t win_ = 1000;
    std::vector<std::uint8_t> options_;
    std::uint8_t icmp_type_ = 8;
    std::uint8_t icmp_code_ = 0;
    std::uint32_t icmp_rest_ = 0x00010001;
    std::vector<std::uint8_t> payload_;
    bool bad_checksum_ = false;
    std::size_t truncate_ = 0;
    bool is_fragment_ = false;
    std::uint16_t fragment_offset_ = 0;
    bool more_fragments_ = false;
    std::size_t fragment_length_ = 0;
    std::uint16_t gso_size_ = 0;
};

// "address:port", or "[v6]:port", or an address alone
PacketBuilder tcp(std::string_view source, std::string_view destination);
PacketBuilder udp(std::string_view source, std::string_view destination);
PacketBuilder ping(std::string_view source, std::string_view destination, std::uint16_t id = 1,
                   std::uint16_t seq = 1);
PacketBuilder ip(std::uint8_t protocol, std::string_view source, std::string_view destination);

}  // namespace nsr::test
