// Port: where the packets of an interface come from and go to.
//
// Theory of operation
//   A port gives and takes frames: one IP packet, or one super-packet, behind the 10 bytes of
//   virtio_net_hdr. Reading turns frames into packets, at most one batch at a time; a frame whose
//   header contradicts its packet is counted and dropped. Writing is one frame, tried once. A kind
//   of port (a TUN device, a queue in memory) says how a single frame is moved; batches, headers
//   and counters are the same for all. Knows no event loop: whoever does calls read_batch() when
//   the descriptor is readable. An interface may have several ports.
//   With a FrameRing the frames of a batch are read with one system call. How many there will be is
//   not known before: twice as many are asked for as there were the last time, beginning with one,
//   and few where they are large. A packet that comes alone is read as it would be without.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/verdict.hpp"
#include "core/packet/packet.hpp"
#include "core/routing/interface.hpp"
#include "router/ports/frame_ring.hpp"

namespace nsr::router {

// More than this and the buffers of a batch leave the second-level cache: small packets are handled
// in batches of 64, super-packets in batches of 4.
inline constexpr std::size_t kBatchPackets = FrameRing::kMost;
inline constexpr std::size_t kBatchLargePackets = 4;
inline constexpr std::size_t kLargePacketBytes = 4096;

class Port {
  public:
    enum class ReadEnd : std::uint8_t {
        Budget,   // the batch is full, there may be more
        Drained,  // nothing left for now
        Down,     // the other end is down: nothing will come until it is up again
        Gone,     // the other end is no more
    };
    struct Counters {
        std::uint64_t malformed_frames = 0;  // a vnet header that contradicts its packet
        std::uint64_t read_errors = 0;
        std::uint64_t failed_writes = 0;   // packets
        std::uint64_t merged_packets = 0;  // that left in a super-packet made of several
    };

    explicit Port(IfIndex interface) : interface_(interface) {}
    virtual ~Port() = default;
    Port(const Port&) = delete;
    Port& operator=(const Port&) = delete;

    [[nodiscard]] IfIndex interface() const { return interface_; }
    [[nodiscard]] const Counters& counters() const { return counters_; }

    // Readable when read_batch() has something to say. It stays the port's own.
    [[nodiscard]] virtual int descriptor() const = 0;
    // What the other end takes; everything else is done in software.
    [[nodiscard]] virtual routing::LinkCapabilities capabilities() const = 0;
    // What the other end sees of a link that is up or down here. Throws SystemError.
    virtual void set_carrier(bool carrier) = 0;

    // Appends what arrived, up to one batch and to `most` frames, each with meta.in. `ring`: null,
    // or what may be used.
    ReadEnd read_batch(BufferPool& pool, std::vector<Packet>& batch,
                       std::size_t most = kBatchPackets, FrameRing* ring = nullptr);
    // Why frames of the latest batch were no packets, one each.
    [[nodiscard]] std::span<const DropReason> refused() const { return refused_; }
    // Dropped: the other end did not take it, and it is lost; there is never a second try.
    // `packets`: how many it was merged from.
    Verdict write(Packet& packet, std::size_t packets = 1);

    // Whether frames are moved by read(2) and write(2) of the descriptor.
    [[nodiscard]] virtual bool is_device() const { return false; }
    // write() in two halves, for who writes the frame: what is to be written to the descriptor, and
    // what came of it (a number of bytes or a negated errno).
    std::span<const std::uint8_t> begin_write(Packet& packet);
    Verdict end_write(Packet& packet, ssize_t result, std::size_t packets);

  private:
    // One frame into `space`: its length, or a negated errno (EAGAIN: there is none for now; EIO:
    // down; EBADFD, ENODEV: gone).
    virtual ssize_t read_frame(std::span<std::uint8_t> space) = 0;
    // Not negative, or a negated errno (EAGAIN, ENOBUFS: no room; others as above).
    virtual ssize_t write_frame(std::span<const std::uint8_t> frame) = 0;
    [[nodiscard]] std::size_t frames_to_expect() const;
    ReadEnd read_in_turn(BufferPool& pool, std::vector<Packet>& batch, std::size_t most);
    ReadEnd read_at_once(BufferPool& pool, std::vector<Packet>& batch, std::size_t count,
                         FrameRing& ring);
    bool take_frame(Packet& packet, std::size_t frame_bytes);
    Verdict accept_frame(Packet& packet, std::size_t frame_bytes);

    IfIndex interface_;
    Counters counters_;
    std::vector<DropReason> refused_;
    // Of the latest batch.
    std::size_t frames_ = 0;
    std::size_t large_frames_ = 0;
};

}  // namespace nsr::router
