#include "router/shards/mailbox.hpp"

#include <cstring>
#include <type_traits>

namespace nsr::router {
namespace {

constexpr std::size_t kAlign = 8;

constexpr std::size_t aligned(std::size_t bytes) {
    return (bytes + kAlign - 1) / kAlign * kAlign;
}

// What goes before the bytes of a packet, and before the sizes of the pieces that it came in.
struct PacketHead {
    std::uint32_t bytes = 0;
    std::uint32_t pieces = 0;
    Offload offload;
    IfIndex in = IfIndex::None;
    std::uint16_t largest_piece = 0;
    bool reassembled = false;
    bool dont_fragment = false;
    bool counted = false;
};
static_assert(std::is_trivially_copyable_v<PacketHead>);

PacketHead head_of(const Packet& packet) {
    PacketHead head;
    head.bytes = static_cast<std::uint32_t>(packet.size());
    head.offload = packet.offload;
    head.in = packet.meta.in;
    head.counted = packet.meta.counted;
    if (const FragmentGeometry* fragments = packet.fragments.get()) {
        head.reassembled = true;
        head.pieces = static_cast<std::uint32_t>(fragments->payload_bytes.size());
        head.largest_piece = fragments->max_size;
        head.dont_fragment = fragments->dont_fragment;
    }
    return head;
}

constexpr std::size_t bytes_of_pieces(const PacketHead& head) {
    return head.pieces * sizeof(std::uint16_t);
}

}  // namespace

// --- putting ------------------------------------------------------------------------------------

bool Mailbox::put(const Packet& packet) {
    const PacketHead head = head_of(packet);
    std::uint8_t* to = room_for(sizeof head + head.bytes + bytes_of_pieces(head));
    if (to == nullptr) {
        return false;
    }
    std::memcpy(to, &head, sizeof head);
    std::memcpy(to + sizeof head, packet.data(), head.bytes);
    if (head.pieces != 0) {
        std::memcpy(to + sizeof head + head.bytes, packet.fragments->payload_bytes.data(),
                    bytes_of_pieces(head));
    }
    commit();
    return true;
}

// Room for a mail with `bytes` behind its head.
std::uint8_t* Mailbox::room_for(std::size_t bytes) {
    const std::size_t whole = aligned(sizeof(Head) + bytes);
    const std::size_t to_end = bytes_ - put_ % bytes_;
    const std::size_t skipped = to_end < whole ? to_end : 0;
    const std::uint64_t used = put_ - head_.load(std::memory_order_acquire);
    if (bytes_ - used < skipped + whole) {
        return nullptr;
    }
    const auto write_head = [this](std::size_t count, Kind kind) {
        const Head head{static_cast<std::uint32_t>(count), kind};
        std::memcpy(&ring_[put_ % bytes_], &head, sizeof head);
    };
    if (skipped != 0) {
        write_head(skipped, Kind::Skip);
        put_ += skipped;
    }
    write_head(whole, Kind::Packet);
    std::uint8_t* const room = &ring_[put_ % bytes_ + sizeof(Head)];
    put_ += whole;
    return room;
}

// What is written by now may be taken.
void Mailbox::commit() {
    tail_.store(put_, std::memory_order_release);
}

// --- taking -------------------------------------------------------------------------------------

bool Mailbox::take(BufferPool& pool, Packet& packet) {
    std::uint64_t at = head_.load(std::memory_order_relaxed);
    const std::uint64_t end = tail_.load(std::memory_order_acquire);
    if (at == end) {
        return false;
    }
    const auto read_head = [&] {
        Head head;
        std::memcpy(&head, &ring_[at % bytes_], sizeof head);
        return head;
    };
    Head head = read_head();
    if (head.kind == Kind::Skip) {  // what is put behind it is put at once with it
        at += head.bytes;
        head = read_head();
    }
    read_packet(&ring_[at % bytes_ + sizeof head], pool, packet);
    head_.store(at + head.bytes, std::memory_order_release);
    return true;
}

void Mailbox::read_packet(const std::uint8_t* from, BufferPool& pool, Packet& packet) {
    PacketHead head;
    std::memcpy(&head, from, sizeof head);
    from += sizeof head;
    packet = Packet(pool, {from, head.bytes});
    packet.offload = head.offload;
    packet.meta.in = head.in;
    packet.meta.counted = head.counted;
    packet.meta.handed_over = true;
    if (head.reassembled) {
        packet.fragments = std::make_unique<FragmentGeometry>();
        packet.fragments->max_size = head.largest_piece;
        packet.fragments->dont_fragment = head.dont_fragment;
        packet.fragments->payload_bytes.resize(head.pieces);
        if (head.pieces != 0) {
            std::memcpy(packet.fragments->payload_bytes.data(), from + head.bytes,
                        bytes_of_pieces(head));
        }
    }
}

}  // namespace nsr::router
