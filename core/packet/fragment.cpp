// Fragmentation: the second half of segment.hpp.
#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>

#include "core/packet/dissect.hpp"
#include "core/packet/rewrite.hpp"
#include "core/packet/segment.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/ipv6_extension.hpp"
#include "core/wire/protocol.hpp"

namespace nsr {

namespace {

namespace ipv4 = wire::ipv4;
namespace ipv6 = wire::ipv6;

// Payload bytes of each fragment, in order.
using Cuts = std::vector<std::size_t>;

struct Geometry {
    Cuts cuts;
    bool original = false;  // the pieces are those the datagram came in
};

struct Unfragmentable {
    std::size_t length = 0;
    std::size_t next_header_at = 0;
};

Geometry cut(const Packet& packet, std::size_t payload, std::size_t room);
std::optional<Cuts> original_cuts(const Packet& packet, std::size_t payload, std::size_t room);
void keep_copied_options(std::span<std::uint8_t> header);
Unfragmentable unfragmentable_part(const Packet& packet);
Packet piece_of(const Packet& packet, std::size_t headers, std::span<const std::uint8_t> payload);
void send(Packet piece, EgressQueue& out);

}  // namespace

// kernel: ip_do_fragment. In the pieces it came in DF is lost; when it must be cut anew, into
// pieces no larger than the largest that came, DF stays.
void fragment_ipv4(const Packet& packet, std::uint32_t mtu, EgressQueue& out) {
    const Layout layout = packet.layout;
    const std::size_t headers = layout.l4_offset;
    const std::size_t largest =
        packet.fragments ? std::min<std::size_t>(mtu, packet.fragments->max_size) : mtu;
    const Geometry geometry =
        cut(packet, packet.size() - headers, largest - std::min(largest, headers));
    const bool keep_df = !geometry.original && packet.fragments && packet.fragments->dont_fragment;
    std::size_t offset = 0;
    for (const std::size_t length : geometry.cuts) {
        Packet piece = piece_of(packet, headers, packet.l4().subspan(offset, length));
        const bool more = layout.more_fragments || offset + length < packet.size() - headers;
        const auto flags = static_cast<std::uint16_t>((more ? ipv4::kMoreFragments : 0) |
                                                      (keep_df ? ipv4::kDontFragment : 0));
        std::uint8_t* header = piece.data();
        wire::store16(header + ipv4::kTotalLengthOffset, static_cast<std::uint16_t>(piece.size()));
        wire::store16(header + ipv4::kFragmentOffset,
                      static_cast<std::uint16_t>(flags | (layout.fragment_offset + offset) / 8));
        if (offset != 0) {
            keep_copied_options(piece.bytes().first(headers));
        }
        piece.layout = layout;
        rewrite::recompute_ipv4_header_checksum(piece);
        send(std::move(piece), out);
        offset += length;
    }
}

// kernel: ip6_fragment
void fragment_ipv6(const Packet& packet, std::uint32_t mtu, std::uint32_t identification,
                   EgressQueue& out) {
    const Unfragmentable before = unfragmentable_part(packet);
    const std::size_t headers = before.length + ipv6::kFragmentHeaderBytes;
    const std::size_t largest =
        packet.fragments ? std::clamp<std::size_t>(packet.fragments->max_size, ipv6::kMinimumMtu,
                                                   std::max(mtu, ipv6::kMinimumMtu))
                         : mtu;
    const auto payload = packet.bytes().subspan(before.length);
    const Geometry geometry = cut(packet, payload.size(), largest - std::min(largest, headers));
    const std::uint8_t next = packet.data()[before.next_header_at];
    std::size_t offset = 0;
    for (const std::size_t length : geometry.cuts) {
        Packet piece = piece_of(packet, headers, payload.subspan(offset, length));
        const bool more = offset + length < payload.size();
        std::uint8_t* header = piece.data();
        wire::store16(header + ipv6::kPayloadLengthOffset,
                      static_cast<std::uint16_t>(piece.size() - ipv6::kHeaderBytes));
        header[before.next_header_at] = proto::kFragment;
        std::uint8_t* fragment = header + before.length;
        fragment[0] = next;
        fragment[1] = 0;
        wire::store16(fragment + ipv6::kFragmentOffsetOffset,
                      static_cast<std::uint16_t>(offset | (more ? ipv6::kMoreFragments : 0)));
        wire::store32(fragment + ipv6::kFragmentIdentificationOffset, identification);
        send(std::move(piece), out);
        offset += length;
    }
}

namespace {

// No cuts if not even eight bytes of payload fit.
Geometry cut(const Packet& packet, std::size_t payload, std::size_t room) {
    Geometry geometry;
    if (auto cuts = original_cuts(packet, payload, room)) {
        return {std::move(*cuts), true};
    }
    const std::size_t step = room & ~std::size_t{7};
    for (std::size_t left = payload; left != 0 && step != 0;) {
        const std::size_t length = left <= room ? left : step;
        geometry.cuts.push_back(length);
        left -= length;
    }
    return geometry;
}

// The fast path of the kernel: the fragments that were put together still lie side by side, and
// each fits. Headers that have become part of the unfragmentable part come off the first.
std::optional<Cuts> original_cuts(const Packet& packet, std::size_t payload, std::size_t room) {
    if (!packet.fragments || packet.fragments->payload_bytes.empty() || packet.layout.is_fragment) {
        return std::nullopt;
    }
    const auto& sizes = packet.fragments->payload_bytes;
    Cuts cuts(sizes.begin(), sizes.end());
    const std::size_t sum = std::accumulate(cuts.begin(), cuts.end(), std::size_t{0});
    if (sum < payload || sum - payload >= cuts.front()) {
        return std::nullopt;
    }
    const bool same_length = sum == payload || packet.layout.family == Family::Ipv6;
    cuts.front() -= sum - payload;
    const bool fit =
        std::all_of(cuts.begin(), cuts.end(), [&](std::size_t c) { return c <= room; });
    const bool aligned =
        std::all_of(cuts.begin(), cuts.end() - 1, [](std::size_t c) { return c % 8 == 0; });
    return same_length && fit && aligned ? std::optional(std::move(cuts)) : std::nullopt;
}

// The others become no-operations in place, so that all headers stay equally long. kernel:
// ip_options_fragment
void keep_copied_options(std::span<std::uint8_t> header) {
    for (std::size_t i = ipv4::kOptionsOffset; i < header.size();) {
        const std::uint8_t type = header[i];
        if (type == ipv4::kOptionEnd) {
            return;
        }
        if (type == ipv4::kOptionNop) {
            ++i;
            continue;
        }
        const std::size_t left = header.size() - i;
        const std::size_t length = left < 2 ? 0 : header[i + 1];
        if (length < 2 || length > left) {
            return;
        }
        if ((type & ipv4::kOptionCopied) == 0) {
            std::memset(header.data() + i, ipv4::kOptionNop, length);
        }
        i += length;
    }
}

// kernel: ip6_find_1stfragopt
Unfragmentable unfragmentable_part(const Packet& packet) {
    wire::ExtensionWalk walk(packet.bytes());
    Unfragmentable part{walk.offset(), walk.named_at()};
    bool routing_seen = false;
    while (const auto header = walk.next()) {
        const bool destination_options =
            header->type == proto::kDestinationOptions && !routing_seen;
        const bool unfragmentable = header->type == proto::kHopByHop ||
                                    header->type == proto::kRouting || destination_options;
        if (!unfragmentable || walk.offset() > packet.size()) {
            break;
        }
        routing_seen = routing_seen || header->type == proto::kRouting;
        part = {walk.offset(), walk.named_at()};
    }
    return part;
}

// The first `headers` bytes of `packet` and `payload`.
Packet piece_of(const Packet& packet, std::size_t headers, std::span<const std::uint8_t> payload) {
    Packet piece(packet.pool());
    piece.resize(headers + payload.size());
    std::memcpy(piece.data(), packet.data(), std::min(headers, packet.size()));
    if (!payload.empty()) {
        std::memcpy(piece.data() + headers, payload.data(), payload.size());
    }
    piece.meta = packet.meta;
    return piece;
}

// Whole enough to be read, whatever a rule has made of its addresses: who would not be let in with
// them may still leave.
void send(Packet piece, EgressQueue& out) {
    static_cast<void>(dissect(piece));
    out.push_back(std::move(piece));
}

}  // namespace

}  // namespace nsr
