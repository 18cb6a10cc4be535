#include "router/ports/coalescer.hpp"

#include <algorithm>

#include "router/ports/merging.hpp"

namespace nsr::router {
namespace {

constexpr std::size_t kMostBytes = 65535;  // of an IP packet

}  // namespace

void Coalescer::merge(EgressQueue& queue, const Capabilities& takes) {
    counts_.assign(queue.size(), 1);
    hashes_.fill(0);
    routing::LinkCapabilities link;
    IfIndex out = IfIndex::None;
    for (std::size_t index = 0; index < queue.size(); ++index) {
        if (queue[index].meta.out != out) {
            out = queue[index].meta.out;
            link = takes(out);
        }
        take(queue, index, link);
    }
    for (std::size_t index = 0; index < queue.size(); ++index) {
        if (counts_[index] > 1) {
            merging::finish(queue[index], queue[index].offload.gso_size);
        }
    }
}

void Coalescer::take(EgressQueue& queue, std::size_t index,
                     const routing::LinkCapabilities& takes) {
    const Packet& packet = queue[index];
    const std::uint32_t hash = merging::flow_hash(packet);
    if (hash == 0) {
        end_groups_to(queue, packet);
        return;
    }
    const std::size_t payload = merging::payload_bytes(packet, takes);
    const std::size_t slot = slot_of(hash);
    if (slot != kFlows) {
        const Group& group = groups_[slot];
        if (payload != 0 && payload <= group.segment && join(queue, group, index)) {
            const bool last = payload < group.segment || merging::pushes(queue[group.head]) ||
                              counts_[group.head] == kMostPackets;
            hashes_[slot] = last ? 0 : hash;
            return;
        }
        hashes_[slot] = 0;
    }
    if (payload != 0 && !merging::pushes(packet)) {
        open(hash, {index, payload});
    }
}

std::size_t Coalescer::slot_of(std::uint32_t hash) const {
    return static_cast<std::size_t>(std::find(hashes_.begin(), hashes_.end(), hash) -
                                    hashes_.begin());
}

// In the place of the one that was opened longest ago.
void Coalescer::open(std::uint32_t hash, const Group& group) {
    hashes_[next_slot_] = hash;
    groups_[next_slot_] = group;
    next_slot_ = (next_slot_ + 1) % kFlows;
}

bool Coalescer::join(EgressQueue& queue, const Group& group, std::size_t index) {
    Packet& head = queue[group.head];
    Packet& next = queue[index];
    std::uint8_t& packets = counts_[group.head];
    const std::size_t most = std::min(kMostBytes, head.writable().size());
    if (!merging::same_flow(head, next) || head.size() + group.segment > most ||
        !merging::continues(head, packets, next) ||
        (packets == 1 && !merging::checksum_is_known(head)) || !merging::checksum_is_known(next)) {
        return false;
    }
    head.offload.gso_size = static_cast<std::uint16_t>(group.segment);
    merging::append(head, next);
    ++packets;
    counts_[index] = 0;
    next.reset();
    return true;
}

void Coalescer::end_groups_to(const EgressQueue& queue, const Packet& packet) {
    for (std::size_t slot = 0; slot < kFlows; ++slot) {
        if (hashes_[slot] != 0 &&
            queue[groups_[slot].head].layout.destination == packet.layout.destination) {
            hashes_[slot] = 0;
        }
    }
}

}  // namespace nsr::router
