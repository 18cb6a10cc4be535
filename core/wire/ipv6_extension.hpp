// IPv6 extension headers (RFC 8200 4): a chain in which each header says what the next one is.
//
//   +--------+--------+------------------------+
//   |  Next  | Length | ...                    |   Length in units of 8 bytes without the first;
//   +--------+--------+------------------------+   AH: of 4 bytes without the first two; a fragment
//                                                  header has no length, it is 8 bytes
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "core/wire/bytes.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::wire {

// kernel: ipv6_ext_hdr without "no next header"
constexpr bool is_extension_header(std::uint8_t type) {
    return type == proto::kHopByHop || type == proto::kRouting || type == proto::kFragment ||
           type == proto::kAh || type == proto::kDestinationOptions;
}

struct ExtensionHeader {
    std::uint8_t type = 0;
    std::size_t named_at = 0;  // offset of the next-header byte that names it
    std::size_t offset = 0;    // all offsets: from the IPv6 header
    std::size_t length = 0;    // as it says; it may lie beyond the packet's end
};

class ExtensionWalk {
  public:
    // Precondition: the IPv6 header is there.
    explicit ExtensionWalk(ConstBytes packet)
        : packet_(packet), type_(packet[ipv6::kNextHeaderOffset]) {}

    // The header the walk stands at, extension or not.
    [[nodiscard]] std::uint8_t type() const { return type_; }
    [[nodiscard]] std::size_t named_at() const { return named_at_; }
    [[nodiscard]] std::size_t offset() const { return offset_; }

    // Steps over the extension header it stands at. Nothing, and no step: that is none, or its
    // first two bytes are not there.
    std::optional<ExtensionHeader> next() {
        if (!is_extension_header(type_) || offset_ + 2 > packet_.size()) {
            return std::nullopt;
        }
        const ExtensionHeader header{type_, named_at_, offset_, length()};
        type_ = packet_[offset_];
        named_at_ = offset_;
        offset_ += header.length;
        return header;
    }

  private:
    [[nodiscard]] std::size_t length() const {
        const std::size_t units = packet_[offset_ + 1];
        if (type_ == proto::kFragment) {
            return ipv6::kFragmentHeaderBytes;
        }
        return type_ == proto::kAh ? (units + 2) * 4 : (units + 1) * 8;
    }

    ConstBytes packet_;
    std::uint8_t type_;
    std::size_t named_at_ = ipv6::kNextHeaderOffset;
    std::size_t offset_ = ipv6::kHeaderBytes;
};

// The first header of that type. Precondition: the IPv6 header is there. kernel: ipv6_find_hdr
inline std::optional<ExtensionHeader> find_extension(ConstBytes bytes, std::uint8_t wanted) {
    ExtensionWalk walk(bytes);
    while (const auto header = walk.next()) {
        if (header->type == wanted) {
            return header;
        }
    }
    return std::nullopt;
}

}  // namespace nsr::wire
