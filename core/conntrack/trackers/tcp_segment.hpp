// TcpSegment: what window tracking needs to know of one segment, in host order.
#pragma once

#include <cstdint>
#include <optional>

#include "core/conntrack/trackers/tcp_table.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/tcp.hpp"

namespace nsr::conntrack {

// Modular comparisons of sequence numbers. kernel: before, after
constexpr bool before(std::uint32_t a, std::uint32_t b) {
    return static_cast<std::int32_t>(a - b) < 0;
}
constexpr bool after(std::uint32_t a, std::uint32_t b) {
    return before(b, a);
}

struct TcpSegment {
    TcpKind kind = TcpKind::None;
    std::uint8_t flags = 0;
    std::uint32_t seq = 0;
    std::uint32_t end = 0;  // behind the last octet, SYN and FIN counting one each
    std::uint32_t ack = 0;
    std::uint16_t window = 0;  // as in the header, not scaled
    wire::ConstBytes options;

    [[nodiscard]] bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
};

// Precondition: the view's data offset is valid.
TcpSegment segment_of(const wire::TcpView& tcp);

// What an end offers in its SYN. kernel: tcp_options
struct TcpOffer {
    bool scaling = false;
    std::uint8_t scale = 0;
    bool sack = false;
};
// Nothing if there are no options at all. Malformed ones end the list, which is not an error.
std::optional<TcpOffer> offer_of(const TcpSegment& segment);

// The highest octet that the segment acknowledges, selectively or not. kernel: tcp_sack
std::uint32_t highest_acknowledged(const TcpSegment& segment);

}  // namespace nsr::conntrack
