// The TCP header (RFC 9293 3.1).
//
//    0                   1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-------------------------------+-------------------------------+
//   |          Source Port          |       Destination Port        |
//   +-------------------------------+-------------------------------+
//   |                        Sequence Number                        |
//   +---------------------------------------------------------------+
//   |                    Acknowledgment Number                      |
//   +-------+-------+---------------+-------------------------------+
//   | Data  |       |C|E|U|A|P|R|S|F|                               |
//   | Offset| Rsrvd |W|C|R|C|S|S|Y|I|            Window             |
//   |       |       |R|E|G|K|H|T|N|N|                               |
//   +-------+-------+---------------+-------------------------------+
//   |           Checksum            |         Urgent Pointer        |
//   +-------------------------------+-------------------------------+
//   |                           [Options]                           |
//   +---------------------------------------------------------------+
#pragma once

#include <cstddef>
#include <optional>

#include "core/wire/bytes.hpp"

namespace nsr::wire {

namespace tcp {

inline constexpr std::size_t kHeaderBytes = 20;  // without options
inline constexpr std::size_t kSourcePortOffset = 0;
inline constexpr std::size_t kDestinationPortOffset = 2;
inline constexpr std::size_t kSequenceOffset = 4;
inline constexpr std::size_t kAcknowledgmentOffset = 8;
inline constexpr std::size_t kDataOffsetOffset = 12;
inline constexpr std::size_t kFlagsOffset = 13;
inline constexpr std::size_t kWindowOffset = 14;
inline constexpr std::size_t kChecksumOffset = 16;
inline constexpr std::size_t kUrgentPointerOffset = 18;
inline constexpr std::size_t kOptionsOffset = 20;

inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kRst = 0x04;
inline constexpr std::uint8_t kPsh = 0x08;
inline constexpr std::uint8_t kAck = 0x10;
inline constexpr std::uint8_t kUrg = 0x20;
inline constexpr std::uint8_t kEce = 0x40;
inline constexpr std::uint8_t kCwr = 0x80;

// Option kinds (RFC 9293 3.2, RFC 7323, RFC 2018)
inline constexpr std::uint8_t kOptionEnd = 0;
inline constexpr std::uint8_t kOptionNop = 1;
inline constexpr std::uint8_t kOptionMss = 2;
inline constexpr std::uint8_t kOptionWindowScale = 3;
inline constexpr std::uint8_t kOptionSackPermitted = 4;
inline constexpr std::uint8_t kOptionSack = 5;
inline constexpr std::uint8_t kOptionTimestamp = 8;

}  // namespace tcp

class TcpView {
  public:
    // `bytes` begins at the TCP header. Nothing if the fixed part is not all there; the data offset
    // is not judged.
    static std::optional<TcpView> parse(ConstBytes bytes) noexcept {
        if (bytes.size() < tcp::kHeaderBytes) {
            return std::nullopt;
        }
        return TcpView(bytes);
    }

    [[nodiscard]] std::uint16_t source_port() const noexcept {
        return load16(at(tcp::kSourcePortOffset));
    }
    [[nodiscard]] std::uint16_t destination_port() const noexcept {
        return load16(at(tcp::kDestinationPortOffset));
    }
    [[nodiscard]] std::uint32_t sequence_number() const noexcept {
        return load32(at(tcp::kSequenceOffset));
    }
    [[nodiscard]] std::uint32_t acknowledgment_number() const noexcept {
        return load32(at(tcp::kAcknowledgmentOffset));
    }
    [[nodiscard]] std::size_t data_offset_bytes() const noexcept {
        return std::size_t{4} * (*at(tcp::kDataOffsetOffset) >> 4);
    }
    [[nodiscard]] std::uint8_t flags() const noexcept { return *at(tcp::kFlagsOffset); }
    [[nodiscard]] bool has(std::uint8_t all_of) const noexcept {
        return (flags() & all_of) == all_of;
    }
    [[nodiscard]] std::uint16_t window() const noexcept { return load16(at(tcp::kWindowOffset)); }
    [[nodiscard]] std::uint16_t checksum() const noexcept {
        return load16(at(tcp::kChecksumOffset));
    }
    [[nodiscard]] std::uint16_t urgent_pointer() const noexcept {
        return load16(at(tcp::kUrgentPointerOffset));
    }

    // The data offset is at least 5 words and inside the bytes that are there.
    [[nodiscard]] bool data_offset_valid() const noexcept {
        return data_offset_bytes() >= tcp::kHeaderBytes && data_offset_bytes() <= bytes_.size();
    }
    // Both empty unless data_offset_valid().
    [[nodiscard]] ConstBytes options() const noexcept {
        return data_offset_valid()
                   ? bytes_.subspan(tcp::kOptionsOffset, data_offset_bytes() - tcp::kHeaderBytes)
                   : ConstBytes{};
    }
    [[nodiscard]] ConstBytes payload() const noexcept {
        return data_offset_valid() ? bytes_.subspan(data_offset_bytes()) : ConstBytes{};
    }

  private:
    explicit TcpView(ConstBytes bytes) noexcept : bytes_(bytes) {}
    [[nodiscard]] const std::uint8_t* at(std::size_t offset) const noexcept {
        return bytes_.data() + offset;
    }

    ConstBytes bytes_;
};

}  // namespace nsr::wire
