#include "core/defrag/queue.hpp"

#include <array>
#include <cstring>
#include <memory>

#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "core/wire/ipv4.hpp"
#include "core/wire/ipv6.hpp"

namespace nsr::defrag {

namespace {

namespace ipv4 = wire::ipv4;
namespace ipv6 = wire::ipv6;

constexpr std::uint32_t kMaxLengthField = 65535;
// A node of the queue map and of the deadlines.
constexpr std::size_t kQueueOverheadBytes = sizeof(Key) + sizeof(Queue) + 128;

void write_ipv4_header(const Queue& queue, std::uint8_t ecn, Packet& packet);
void write_ipv6_header(const Queue& queue, std::uint8_t ecn, Packet& packet);

bool is_ipv4(const Queue& queue) {
    return queue.layout.family == Family::Ipv4;
}

// What remains in front of the payload: the fragment header goes.
std::size_t final_header_length(const Queue& queue) {
    return queue.header.size() - (is_ipv4(queue) ? 0 : ipv6::kFragmentHeaderBytes);
}

}  // namespace

Key key_of(const Packet& packet) {
    const Layout& layout = packet.layout;
    Key key;
    key.source = layout.source;
    key.destination = layout.destination;
    key.identification = layout.identification;
    key.zone = packet.meta.zone;
    key.output = packet.meta.locally_generated;
    if (layout.family == Family::Ipv4) {
        key.protocol = layout.protocol;
    } else if (layout.destination.is_multicast() || layout.destination.is_link_local()) {
        key.in = packet.meta.in;
    }
    return key;
}

std::size_t KeyHash::operator()(const Key& of) const {
    const auto pair = [](std::uint32_t high, std::uint32_t low) {
        return static_cast<std::uint64_t>(high) << 32 | low;
    };
    const auto& source = of.source.words;
    const auto& destination = of.destination.words;
    const std::array<std::uint64_t, 6> words = {
        pair(source[0], source[1]),
        pair(source[2], source[3]),
        pair(destination[0], destination[1]),
        pair(destination[2], destination[3]),
        pair(of.identification, static_cast<std::uint32_t>(of.zone) << 16 | raw(of.in)),
        pair(raw(of.source.family), static_cast<std::uint32_t>(of.protocol) << 1 | of.output),
    };
    return siphash13(key, words.data(), words.size());
}

std::size_t Queue::memory() const {
    return kQueueOverheadBytes + header.capacity() + runs.memory();
}

Fragment fragment_of(const Packet& packet) {
    const Layout& layout = packet.layout;
    Fragment fragment;
    fragment.offset = layout.fragment_offset;
    fragment.more = layout.more_fragments;
    fragment.size = layout.total_length;
    fragment.header_length =
        layout.family == Family::Ipv4
            ? layout.l4_offset
            : static_cast<std::uint16_t>(layout.fragment_header + ipv6::kFragmentHeaderBytes);
    fragment.end = fragment.offset + layout.total_length - fragment.header_length;
    return fragment;
}

std::optional<std::uint8_t> merged_ecn(std::uint8_t seen) {
    constexpr std::uint8_t kNotEct = 1 << 0;
    constexpr std::uint8_t kCe = 1 << 3;
    constexpr std::uint8_t kCongestionExperienced = 3;
    if ((seen & kNotEct) != 0 && seen != kNotEct) {
        return std::nullopt;
    }
    return (seen & kCe) != 0 ? kCongestionExperienced : std::uint8_t{0};
}

DatagramSize datagram_size(const Queue& queue) {
    const std::size_t header = final_header_length(queue);
    const auto bytes = static_cast<std::uint32_t>(header + queue.length);
    const std::size_t uncounted = is_ipv4(queue) ? 0 : ipv6::kHeaderBytes;
    return {bytes, bytes - uncounted <= kMaxLengthField};
}

void write_datagram(const Queue& queue, std::uint8_t ecn, Packet& packet) {
    packet.resize(datagram_size(queue).bytes);
    if (is_ipv4(queue)) {
        write_ipv4_header(queue, ecn, packet);
    } else {
        write_ipv6_header(queue, ecn, packet);
    }
    queue.runs.copy_to(packet.data() + final_header_length(queue));
    packet.offload = Offload{};
    packet.meta.mark = queue.mark;
    packet.fragments = std::make_unique<FragmentGeometry>();
    packet.fragments->payload_bytes = queue.runs.lengths();
    packet.fragments->max_size = static_cast<std::uint16_t>(queue.max_size);
    packet.fragments->dont_fragment = is_ipv4(queue) && queue.max_df_size == queue.max_size;
}

Packet first_fragment(const Queue& queue) {
    const wire::ConstBytes payload = queue.runs.first();
    Packet packet(*queue.pool, queue.header);
    packet.resize(queue.header.size() + payload.size());
    std::memcpy(packet.data() + queue.header.size(), payload.data(), payload.size());
    packet.layout = queue.layout;
    packet.layout.total_length = static_cast<std::uint32_t>(packet.size());
    packet.meta.in = queue.in;
    packet.meta.mark = queue.mark;
    return packet;
}

namespace {

// DF only if the largest fragment had it: else a small fragment with DF would forbid what its
// sender allowed for the large ones. kernel: ip_frag_reasm
void write_ipv4_header(const Queue& queue, std::uint8_t ecn, Packet& packet) {
    std::uint8_t* header = packet.data();
    std::memcpy(header, queue.header.data(), queue.header.size());
    header[ipv4::kTosOffset] |= ecn;
    wire::store16(header + ipv4::kTotalLengthOffset, static_cast<std::uint16_t>(packet.size()));
    wire::store16(header + ipv4::kFragmentOffset,
                  queue.max_df_size == queue.max_size ? ipv4::kDontFragment : 0);
    wire::store16(header + ipv4::kChecksumOffset, 0);
    wire::store16(header + ipv4::kChecksumOffset, wire::checksum({header, queue.header.size()}));
}

// Whatever named the fragment header names what that one named. kernel: nf_ct_frag6_reasm
void write_ipv6_header(const Queue& queue, std::uint8_t ecn, Packet& packet) {
    const std::size_t length = final_header_length(queue);
    std::uint8_t* header = packet.data();
    std::memcpy(header, queue.header.data(), length);
    header[queue.layout.fragment_prev_next] = queue.header[length];
    header[1] |= static_cast<std::uint8_t>(ecn << 4);  // the traffic class begins in byte 0
    wire::store16(header + ipv6::kPayloadLengthOffset,
                  static_cast<std::uint16_t>(packet.size() - ipv6::kHeaderBytes));
}

}  // namespace

}  // namespace nsr::defrag
