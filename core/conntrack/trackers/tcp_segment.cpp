#include "core/conntrack/trackers/tcp_segment.hpp"

#include <algorithm>

namespace nsr::conntrack {

namespace {

using wire::ConstBytes;

constexpr std::uint8_t kMaxScale = 14;  // RFC 7323 2.3
constexpr std::size_t kSackPermittedBytes = 2;
constexpr std::size_t kWindowScaleBytes = 3;
constexpr std::size_t kSackBlockBytes = 8;

// The common case of a connection with timestamps: two NOPs and the timestamp, nothing else.
constexpr std::size_t kAlignedTimestampBytes = 12;
constexpr std::uint32_t kAlignedTimestamp = 0x0101080a;

// Calls `each(kind, value)` for every well-formed option until it returns false, the list ends or
// something is malformed.
template <class Each>
void for_each_option(ConstBytes options, Each each) {
    while (!options.empty()) {
        const std::uint8_t kind = options[0];
        if (kind == wire::tcp::kOptionEnd) {
            return;
        }
        if (kind == wire::tcp::kOptionNop) {
            options = options.subspan(1);
            continue;
        }
        if (options.size() < 2 || options[1] < 2 || options[1] > options.size()) {
            return;
        }
        if (!each(kind, options.subspan(2, options[1] - 2u))) {
            return;
        }
        options = options.subspan(options[1]);
    }
}

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
    for_each_option(segment.options, [&](std::uint8_t kind, ConstBytes value) {
        if (kind == wire::tcp::kOptionSackPermitted && value.size() + 2 == kSackPermittedBytes) {
            offer.sack = true;
        } else if (kind == wire::tcp::kOptionWindowScale && value.size() + 2 == kWindowScaleBytes) {
            offer.scaling = true;
            offer.scale = std::min(value[0], kMaxScale);
        }
        return true;
    });
    return offer;
}

std::uint32_t highest_acknowledged(const TcpSegment& segment) {
    std::uint32_t highest = segment.ack;
    if (segment.options.size() == kAlignedTimestampBytes &&
        wire::load32(segment.options.data()) == kAlignedTimestamp) {
        return highest;
    }
    for_each_option(segment.options, [&](std::uint8_t kind, ConstBytes value) {
        if (kind != wire::tcp::kOptionSack || value.empty() ||
            value.size() % kSackBlockBytes != 0) {
            return true;
        }
        for (std::size_t block = 0; block < value.size(); block += kSackBlockBytes) {
            const std::uint32_t right = wire::load32(value.data() + block + 4);
            highest = after(right, highest) ? right : highest;
        }
        return false;
    });
    return highest;
}

}  // namespace nsr::conntrack
