#include "core/conntrack/trackers/tcp_segment.hpp"

#include <algorithm>

#include "core/wire/tcp_options.hpp"

namespace nsr::conntrack {

namespace {

using wire::ConstBytes;

constexpr std::uint8_t kMaxScale = 14;  // RFC 7323 2.3
constexpr std::size_t kSackPermittedBytes = 2;
constexpr std::size_t kWindowScaleBytes = 3;
constexpr std::size_t kSackBlockBytes = 8;
constexpr std::size_t kKindAndLength = 2;

// The common case of a connection with timestamps: two NOPs and the timestamp, nothing else.
constexpr std::size_t kAlignedTimestampBytes = 12;
constexpr std::uint32_t kAlignedTimestamp = 0x0101080a;

}  // namespace

TcpSegment segment_of(const wire::TcpView& tcp) {
    TcpSegment segment;
    segment.flags = tcp.flags();
    segment.kind = kind_of(segment.flags);
    segment.seq = tcp.sequence_number();
    segment.end = segment.seq + static_cast<std::uint32_t>(tcp.payload().size()) +
                  (segment.has(wire::tcp::kSyn) ? 1 : 0) + (segment.has(wire::tcp::kFin) ? 1 : 0);
    segment.ack = tcp.acknowledgment_number();
    segment.window = tcp.window();
    segment.options = tcp.options();
    return segment;
}

std::optional<TcpOffer> offer_of(const TcpSegment& segment) {
    if (segment.options.empty()) {
        return std::nullopt;
    }
    TcpOffer offer;
    wire::TcpOptionWalk walk(segment.options, wire::TcpOptionReading::Strict);
    while (const auto option = walk.next()) {
        if (option->kind == wire::tcp::kOptionSackPermitted &&
            option->length == kSackPermittedBytes) {
            offer.sack = true;
        } else if (option->kind == wire::tcp::kOptionWindowScale &&
                   option->length == kWindowScaleBytes) {
            offer.scaling = true;
            offer.scale = std::min(segment.options[option->offset + 2], kMaxScale);
        }
    }
    return offer;
}

std::uint32_t highest_acknowledged(const TcpSegment& segment) {
    std::uint32_t highest = segment.ack;
    if (segment.options.size() == kAlignedTimestampBytes &&
        wire::load32(segment.options.data()) == kAlignedTimestamp) {
        return highest;
    }
    wire::TcpOptionWalk walk(segment.options, wire::TcpOptionReading::Strict);
    while (const auto option = walk.next()) {
        if (option->kind != wire::tcp::kOptionSack || option->length == kKindAndLength ||
            (option->length - kKindAndLength) % kSackBlockBytes != 0) {
            continue;
        }
        const ConstBytes blocks = segment.options.subspan(option->offset + kKindAndLength,
                                                          option->length - kKindAndLength);
        for (std::size_t block = 0; block < blocks.size(); block += kSackBlockBytes) {
            const std::uint32_t right = wire::load32(blocks.data() + block + 4);
            highest = after(right, highest) ? right : highest;
        }
        break;
    }
    return highest;
}

}  // namespace nsr::conntrack
