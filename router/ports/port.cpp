#include "router/ports/port.hpp"

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

}  // namespace

Port::ReadEnd Port::read_batch(BufferPool& pool, std::vector<Packet>& batch) {
    std::size_t packets = 0;
    std::size_t large = 0;
    while (packets < kBatchPackets && large < kBatchLargePackets) {
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
        if (accept_frame(packet, static_cast<std::size_t>(count))) {
            batch.push_back(std::move(packet));
        }
    }
    return ReadEnd::Budget;
}

bool Port::accept_frame(Packet& packet, std::size_t frame_bytes) {
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
    packet.meta.in = interface_;
    return true;
}

bool Port::write(Packet& packet) {
    std::array<std::uint8_t, kVnetHeaderBytes> header{};
    encode_vnet_header(packet, header);
    packet.push(kVnetHeaderBytes);
    std::memcpy(packet.data(), header.data(), header.size());
    const bool taken = write_frame(packet.bytes());
    packet.pull(kVnetHeaderBytes);
    counters_.failed_writes += static_cast<unsigned>(!taken);
    return taken;
}

}  // namespace nsr::router
