// Coalescer: small packets of a flow that leave together become one super-packet.
//
// Theory of operation
//   What a device charges for is the write, hardly its bytes: 64 small datagrams in one USO write
//   cost a third of 64 writes. Before the packets of a batch are written, those of a flow (address
//   pair, protocol, ports, interface) that the other end would cut again to what they were are
//   gathered in the first of them, and the later ones are empty. Flows may be interleaved. Nothing
//   waits for a later batch, and nothing but the devices sees the super-packet: counters, captures
//   and traces have had the packets before.
//   UDP and TCP: the same headers but for lengths, checksums and IPv4 id, no options of IP, the
//   same payload length but for the last, which may be shorter, at most kMostPackets and 64 KiB.
//   IPv4 ids count up by one; where DF is set, which makes the field meaningless (RFC 6864 4.1),
//   they may be any, and will count up behind the device. TCP: ACK alone, sequence numbers
//   without a gap, PSH on the last. A checksum that is not the device's to finish must be right,
//   because one that is wrong would be mended; UDP without one is left alone. kernel:
//   inet_gro_receive, udp_gro_receive_segment, tcp_gro_receive
//   Order: a flow's packet that does not fit ends its group, so that later ones come behind it. A
//   packet without ports (ICMP, a fragment, others) ends all groups to its destination. Only the
//   latest kFlows flows have a group that is open.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/packet/packet.hpp"
#include "core/routing/interface.hpp"

namespace nsr::router {

class Coalescer {
  public:
    using Capabilities = std::function<routing::LinkCapabilities(IfIndex)>;

    static constexpr std::size_t kMostPackets = 64;  // a kernel before 6.10 takes no more
    static constexpr std::size_t kFlows = 16;

    // Merges within `queue` what the link of each packet takes as a super-packet. Precondition: the
    // packets are dissected.
    void merge(EgressQueue& queue, const Capabilities& takes);
    // How many of its packets element `index` of the last queue stands for; 0: it is empty now.
    [[nodiscard]] std::size_t packets_in(std::size_t index) const { return counts_[index]; }

  private:
    // The packets of one flow that can still grow.
    struct Group {
        std::size_t head = 0;     // place in the queue
        std::size_t segment = 0;  // payload bytes of all but the last
    };

    void take(EgressQueue& queue, std::size_t index, const routing::LinkCapabilities& takes);
    [[nodiscard]] std::size_t slot_of(std::uint32_t hash) const;
    void open(std::uint32_t hash, const Group& group);
    bool join(EgressQueue& queue, const Group& group, std::size_t index);
    void end_groups_to(const EgressQueue& queue, const Packet& packet);

    std::array<std::uint32_t, kFlows> hashes_{};  // of open groups; 0: none
    std::array<Group, kFlows> groups_{};
    std::size_t next_slot_ = 0;
    std::vector<std::uint8_t> counts_;
};

}  // namespace nsr::router
