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

Port::ReadEnd Port::read_batch(BufferPool& pool, std::vector<Packet>& batch, std::size_t most) {
    refused_.clear();
    std::size_t packets = 0;
    std::size_t large = 0;
    while (packets < std::min(most, kBatchPackets) && large < kBatchLargePackets) {
        Packet packet(pool);
        // The vnet header lands in the headroom, so that the IP header begins where it stays.
        packet.push(kVnetHeaderBytes);
        const ssize_t count = read_frame(packet.writable());
        if (count == -EINTR) {
            continue;
        }
        if (count < 0) {
            return end_of_errno(static_cast<int>(-count));
        }
        ++packets;
        large += static_cast<std::size_t>(static_cast<std::size_t>(count) > kLargePacketBytes);
        const Verdict verdict = accept_frame(packet, static_cast<std::size_t>(count));
        if (verdict.accepted()) {
            batch.push_back(std::move(packet));
        } else {
            ++counters_.malformed_frames;
            refused_.push_back(verdict.reason());
        }
    }
    return ReadEnd::Budget;
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
    std::array<std::uint8_t, kVnetHeaderBytes> header{};
    encode_vnet_header(packet, header);
    packet.push(kVnetHeaderBytes);
    std::memcpy(packet.data(), header.data(), header.size());
    const ssize_t count = write_frame(packet.bytes());
    packet.pull(kVnetHeaderBytes);
    if (count < 0) {
        counters_.failed_writes += packets;
        return Verdict::drop(reason_of_errno(static_cast<int>(-count)));
    }
    counters_.merged_packets += packets > 1 ? packets : 0;
    return Verdict::accept();
}

}  // namespace nsr::router
