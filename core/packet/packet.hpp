// Packet: one IP datagram (or one super-packet) on its way through the router.
//
// Theory of operation
//   A Packet owns a buffer of a BufferPool: fixed-size blocks, handed out last-in-first-out so that
//   a batch of small packets stays in the same few cache lines. bytes() begins at the IP header;
//   headroom() bytes before it are free for a vnet header or an encapsulation. `layout` says where
//   the headers are and is valid after dissect(); everything that moves bytes (segment, reassemble,
//   extension header removal) dissects again; rewriting fields in place (packet/rewrite.hpp) keeps
//   `layout` in step itself. `meta` is what the kernel keeps in an sk_buff beside the bytes.
//   Offload mirrors virtio_net_hdr: a checksum may be left for the device to finish (Partial: the
//   field then holds the folded, not inverted, sum of the pseudo header), and a super-packet says
//   the size of its wire segments. Packets are move-only; the buffer goes back to the pool with
//   them. The pool must outlive its packets. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "core/base/check.hpp"
#include "core/base/ct_info.hpp"
#include "core/base/ids.hpp"
#include "core/base/instant.hpp"
#include "core/packet/buffer_pool.hpp"
#include "core/packet/layout.hpp"

namespace nsr {

enum class ChecksumState : std::uint8_t { Complete, Verified, Partial };
enum class Gso : std::uint8_t { None, Tcp4, Tcp6, Udp };

struct Offload {
    // Complete: on the wire, unverified; Verified: the device did
    ChecksumState checksum = ChecksumState::Complete;
    Gso gso = Gso::None;
    bool ecn = false;                  // the TCP super-packet carries CWR in its first segment only
    std::uint16_t checksum_start = 0;  // valid iff Partial: offset of the transport header
    std::uint16_t checksum_offset = 0;  // valid iff Partial: of the field, behind checksum_start
    std::uint16_t gso_size = 0;         // valid iff gso != None: payload bytes of each wire segment
    std::uint16_t header_length = 0;    // valid iff gso != None: all headers of one segment
};

// How a reassembled datagram came in; it leaves in the same pieces. kernel:
// IPCB(skb)->frag_max_size and the frag list
struct FragmentGeometry {
    std::vector<std::uint16_t> payload_bytes;  // of each, in order of offset; empty: gathered
    std::uint16_t max_size = 0;                // the largest fragment, IP header included
    bool dont_fragment = false;                // DF was set on the fragment of max_size
};

struct Meta {
    IfIndex in = IfIndex::None;
    IfIndex out = IfIndex::None;
    Mark mark = 0;
    ConnId conn = ConnId::None;
    CtInfo ct_info = CtInfo::Invalid;
    bool ct_seen = false;  // tracking has had its turn: raw NOTRACK, or the tracker itself
    bool locally_generated = false;  // began in OUTPUT
    // What raw's CT target asked for (kernel: the template conntrack).
    bool ct_template : 1 = false;
    bool zone_from_mark : 1 = false;  // the zone is the mark the packet has when it is tracked
    std::uint8_t ct_helper : 6 = 0;   // conntrack::HelperId of its connection; 0: not named
    Zone zone = 0;
    // What the connection shall tell (conntrack/record/event.hpp); 0: everything.
    std::uint16_t ct_events : 10 = 0;
    std::uint16_t ct_timeout : 10 =
        0;                          // conntrack::TimeoutPolicyId of its connection; 0: not named
    bool zone_original : 1 = true;  // the zone counts for the original direction
    bool zone_reply : 1 = true;     // ... for the reply direction
    bool counted : 1 = false;       // its arrival was, in the shard that put it together
    bool handed_over : 1 = false;   // another shard sent it here
    IfIndex host_interface = IfIndex::None;  // valid iff a process of the [host] namespace sent it
    std::uint32_t cause = 0;  // index of the foreign packet that led to this one; see EgressQueue
    RuleId accepted_by = RuleId::None;

    // As if tracking had not seen it yet.
    void track_again() {
        ct_seen = false;
        ct_template = false;
        zone = 0;
        zone_from_mark = false;
        zone_original = true;
        zone_reply = true;
        ct_events = 0;
        ct_helper = 0;
        ct_timeout = 0;
    }
};

class Packet {
  public:
    Packet() = default;  // empty: owns nothing
    explicit Packet(BufferPool& pool) : pool_(&pool), block_(pool.take()) {}
    Packet(BufferPool& pool,
           std::span<const std::uint8_t> bytes);  // copies at most kMaxPacketBytes
    Packet(Packet&& other) noexcept
        : layout(other.layout),
          meta(other.meta),
          offload(other.offload),
          fragments(std::move(other.fragments)),
          pool_(other.pool_),
          block_(std::exchange(other.block_, nullptr)),
          offset_(other.offset_),
          length_(other.length_) {}
    Packet& operator=(Packet&& other) noexcept;
    Packet(const Packet&) = delete;
    Packet& operator=(const Packet&) = delete;
    ~Packet() { reset(); }

    [[nodiscard]] bool empty() const { return block_ == nullptr; }
    void reset() {
        if (block_ != nullptr) {
            pool_->give_back(std::exchange(block_, nullptr));
        }
        fragments.reset();
        offset_ = kHeadroomBytes;
        length_ = 0;
    }
    [[nodiscard]] BufferPool& pool() const { return *pool_; }

    [[nodiscard]] std::span<std::uint8_t> bytes() { return {block_ + offset_, length_}; }
    [[nodiscard]] std::span<const std::uint8_t> bytes() const {
        return {block_ + offset_, length_};
    }
    [[nodiscard]] std::uint8_t* data() { return block_ + offset_; }
    [[nodiscard]] const std::uint8_t* data() const { return block_ + offset_; }
    [[nodiscard]] std::size_t size() const { return length_; }

    [[nodiscard]] std::size_t headroom() const { return offset_; }
    // Everything from the end of the headroom to the end of the block: where a device reads into.
    [[nodiscard]] std::span<std::uint8_t> writable() {
        return {block_ + offset_, BufferPool::kBlockBytes - offset_};
    }
    // Precondition: fits writable(). New bytes are not cleared.
    void resize(std::size_t length) {
        NSR_CHECK(offset_ + length <= BufferPool::kBlockBytes);
        length_ = length;
    }
    void push(std::size_t count);  // grow at the front into the headroom
    void pull(std::size_t count);  // shrink at the front
    // The transport header and what follows. Precondition: dissected.
    [[nodiscard]] std::span<std::uint8_t> l4() { return bytes().subspan(layout.l4_offset); }
    [[nodiscard]] std::span<const std::uint8_t> l4() const {
        return bytes().subspan(layout.l4_offset);
    }

    // The first `count` bytes of a reassembled datagram come to lie in its first piece, as whoever
    // changes or reads them in place needs it; nothing if it is shorter. kernel: pskb_may_pull
    void gather(std::size_t count);

    [[nodiscard]] Packet clone() const;  // bytes, layout, meta, offload and geometry

    Layout layout;
    Meta meta;
    Offload offload;
    std::unique_ptr<FragmentGeometry> fragments;  // valid iff this datagram was reassembled

  private:
    BufferPool* pool_ = nullptr;
    std::uint8_t* block_ = nullptr;
    std::size_t offset_ = kHeadroomBytes;
    std::size_t length_ = 0;
};

// Packets on their way out, in order; `meta.out` says where, `meta.cause` why (kTimerCause: a
// timer).
inline constexpr std::uint32_t kTimerCause = 0xffffffff;
using EgressQueue = std::vector<Packet>;

}  // namespace nsr
