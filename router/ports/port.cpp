#include "router/ports/port.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/packet/vnet_header.hpp"

namespace nsr::router {
namespace {

Port::ReadEnd end_of_errno(int error) {
    switch (error) {
        case EINTR:
            return Port::ReadEnd::Budget;
        case EIO:
            return Port::ReadEnd::Down;
        case EBADFD:
        case ENODEV:
            return Port::ReadEnd::Gone;
        default:
            return Port::ReadEnd::Drained;
    }
}

// kernel: tun_get_user, sock_alloc_send_pskb
DropReason reason_of_errno(int error) {
    switch (error) {
        case EAGAIN:
        case ENOBUFS:
        case ENOMEM:
            return DropReason::EgressQueueFull;
        case EIO:
        case EBADFD:
        case ENODEV:
            return DropReason::InterfaceDown;
        default:
            return DropReason::EgressFailed;
    }
}

}  // namespace

Port::ReadEnd Port::read_batch(BufferPool& pool, std::vector<Packet>& batch, std::size_t most,
                               FrameRing* ring) {
    const bool at_once = ring != nullptr && is_device();
    const std::size_t count = std::min(most, at_once ? frames_to_expect() : kBatchPackets);
    refused_.clear();
    frames_ = 0;
    large_frames_ = 0;
    return at_once && count >= FrameRing::kWorthwhile ? read_at_once(pool, batch, count, *ring)
                                                      : read_in_turn(pool, batch, count);
}

std::size_t Port::frames_to_expect() const {
    if (large_frames_ != 0) {
        return kBatchLargePackets;
    }
    return std::clamp<std::size_t>(2 * frames_, 1, kBatchPackets);
}

Port::ReadEnd Port::read_in_turn(BufferPool& pool, std::vector<Packet>& batch, std::size_t most) {
    while (frames_ < most && large_frames_ < kBatchLargePackets) {
        Packet packet(pool);
        // The vnet header lands in the headroom, so that the IP header begins where it stays.
        packet.push(kVnetHeaderBytes);
        const ssize_t count = read_frame(packet.writable());
        if (count < 0) {
            return end_of_errno(static_cast<int>(-count));
        }
        if (take_frame(packet, static_cast<std::size_t>(count))) {
            batch.push_back(std::move(packet));
        }
    }
    return ReadEnd::Budget;
}

// What is left of the prepared buffers goes back. How it ended is what the last read said: before,
// there may have been nothing for a moment.
Port::ReadEnd Port::read_at_once(BufferPool& pool, std::vector<Packet>& batch, std::size_t count,
                                 FrameRing& ring) {
    const std::size_t first = batch.size();
    for (std::size_t i = 0; i < count; ++i) {
        batch.emplace_back(pool).push(kVnetHeaderBytes);
    }
    for (std::size_t i = first; i < batch.size(); ++i) {
        ring.read(descriptor(), batch[i].writable());
    }
    const std::span<const int> results = ring.run();
    std::size_t kept = first;
    for (std::size_t i = 0; i < count; ++i) {
        Packet& packet = batch[first + i];
        if (results[i] < 0 || !take_frame(packet, static_cast<std::size_t>(results[i]))) {
            continue;
        }
        if (kept != first + i) {
            batch[kept] = std::move(packet);
        }
        ++kept;
    }
    batch.resize(kept);
    return results.back() < 0 ? end_of_errno(-results.back()) : ReadEnd::Budget;
}

// False: it is no packet.
bool Port::take_frame(Packet& packet, std::size_t frame_bytes) {
    ++frames_;
    large_frames_ += frame_bytes > kLargePacketBytes ? 1 : 0;
    const Verdict verdict = accept_frame(packet, frame_bytes);
    if (verdict.dropped()) {
        ++counters_.malformed_frames;
        refused_.push_back(verdict.reason());
    }
    return verdict.accepted();
}

Verdict Port::accept_frame(Packet& packet, std::size_t frame_bytes) {
    if (frame_bytes <= kVnetHeaderBytes) {
        return Verdict::drop(DropReason::TooShort);
    }
    std::array<std::uint8_t, kVnetHeaderBytes> header{};
    std::memcpy(header.data(), packet.data(), header.size());
    packet.resize(frame_bytes);
    packet.pull(kVnetHeaderBytes);
    if (!decode_vnet_header(header, packet)) {
        return Verdict::drop(DropReason::BadOffload);
    }
    packet.meta.in = interface_;
    return Verdict::accept();
}

Verdict Port::write(Packet& packet, std::size_t packets) {
    const ssize_t result = write_frame(begin_write(packet));
    return end_write(packet, result, packets);
}

std::span<const std::uint8_t> Port::begin_write(Packet& packet) {
    std::array<std::uint8_t, kVnetHeaderBytes> header{};
    encode_vnet_header(packet, header);
    packet.push(kVnetHeaderBytes);
    std::memcpy(packet.data(), header.data(), header.size());
    return packet.bytes();
}

Verdict Port::end_write(Packet& packet, ssize_t result, std::size_t packets) {
    packet.pull(kVnetHeaderBytes);
    if (result < 0) {
        counters_.failed_writes += packets;
        return Verdict::drop(reason_of_errno(static_cast<int>(-result)));
    }
    counters_.merged_packets += packets > 1 ? packets : 0;
    return Verdict::accept();
}

}  // namespace nsr::router
