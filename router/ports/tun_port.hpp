// TunPort: one interface's TUN device as the place where batches of packets come from and go to.
//
// Knows no event loop: whoever does calls read_batch() when the descriptor is readable.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/ids.hpp"
#include "core/packet/packet.hpp"
#include "netlink/tun.hpp"

namespace nsr::router {

// More than this and the buffers of a batch leave the second-level cache: small packets are handled
// in batches of 64, super-packets in batches of 4.
inline constexpr std::size_t kBatchPackets = 64;
inline constexpr std::size_t kBatchLargePackets = 4;
inline constexpr std::size_t kLargePacketBytes = 4096;

class TunPort {
  public:
    enum class ReadEnd : std::uint8_t {
        Budget,   // the batch is full, there may be more
        Drained,  // nothing left for now
        Down,     // the device is down: nothing will come until it is up again
        Gone,     // the device is no more (its namespace died)
    };

    TunPort(netlink::Tun tun, IfIndex index) : tun_(std::move(tun)), index_(index) {}

    [[nodiscard]] int descriptor() const { return tun_.descriptor.get(); }
    [[nodiscard]] IfIndex index() const { return index_; }
    [[nodiscard]] const netlink::Tun& tun() const { return tun_; }

    // Appends what arrived, up to one batch, each with meta.in.
    ReadEnd read_batch(BufferPool& pool, std::vector<Packet>& batch);
    // One write, one packet. False: the device did not take it, and it is lost; there is never a
    // second try.
    bool write(Packet& packet);

    struct Counters {
        std::uint64_t malformed_frames = 0;  // a vnet header that contradicts its packet
        std::uint64_t read_errors = 0;
        std::uint64_t failed_writes = 0;
    };
    [[nodiscard]] const Counters& counters() const { return counters_; }

  private:
    bool accept_frame(Packet& packet, std::size_t frame_bytes);

    netlink::Tun tun_;
    IfIndex index_;
    Counters counters_;
};

}  // namespace nsr::router
