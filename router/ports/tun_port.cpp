#include "router/ports/tun_port.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/packet/vnet_header.hpp"

namespace nsr::router {
namespace {

TunPort::ReadEnd end_of_errno(int error) {
    switch (error) {
        case EAGAIN:
            return TunPort::ReadEnd::Drained;
        case EIO:
            return TunPort::ReadEnd::Down;
        case EBADFD:
        case ENODEV:
            return TunPort::ReadEnd::Gone;
        default:
            return TunPort::ReadEnd::Drained;
    }
}

}  // namespace

TunPort::ReadEnd TunPort::read_batch(BufferPool& pool, std::vector<Packet>& batch) {
    std::size_t packets = 0;
    std::size_t large = 0;
    while (packets < kBatchPackets && large < kBatchLargePackets) {
        Packet packet(pool);
        // The vnet header lands in the headroom, so that the IP header begins where it stays.
        packet.push(kVnetHeaderBytes);
        const auto space = packet.writable();
        const ssize_t count = ::read(descriptor(), space.data(), space.size());
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count < 0) {
            counters_.read_errors += errno == EAGAIN ? 0 : 1;
            return end_of_errno(errno);
        }
        ++packets;
        large += static_cast<std::size_t>(count) > kLargePacketBytes ? 1 : 0;
        if (accept_frame(packet, static_cast<std::size_t>(count))) {
            batch.push_back(std::move(packet));
        }
    }
    return ReadEnd::Budget;
}

bool TunPort::accept_frame(Packet& packet, std::size_t frame_bytes) {
    if (frame_bytes <= kVnetHeaderBytes) {
        ++counters_.malformed_frames;
        return false;
    }
    std::array<std::uint8_t, kVnetHeaderBytes> header{};
    std::memcpy(header.data(), packet.data(), header.size());
    packet.resize(frame_bytes);
    packet.pull(kVnetHeaderBytes);
    if (!decode_vnet_header(header, packet)) {
        ++counters_.malformed_frames;
        return false;
    }
    packet.meta.in = index_;
    return true;
}

bool TunPort::write(Packet& packet) {
    std::array<std::uint8_t, kVnetHeaderBytes> header{};
    encode_vnet_header(packet, header);
    packet.push(kVnetHeaderBytes);
    std::memcpy(packet.data(), header.data(), header.size());
    const ssize_t count = ::write(descriptor(), packet.data(), packet.size());
    packet.pull(kVnetHeaderBytes);
    if (count < 0) {
        ++counters_.failed_writes;
        return false;
    }
    return true;
}

}  // namespace nsr::router
