#include "core/pipeline/icmp_limit.hpp"

#include <algorithm>

namespace nsr::pipeline {

bool IcmpLimit::allow(const IpAddress& peer, Rates rates, Instant now) {
    return allow_global(rates.per_second, now) &&
           peers_.allow(peer, std::chrono::milliseconds(rates.per_peer_ms), now);
}

bool IcmpLimit::allow_global(std::uint32_t per_second, Instant now) {
    if (per_second == 0) {
        return true;
    }
    const std::chrono::duration<double> passed = now - global_refilled_;
    global_refilled_ = now;
    global_credit_ = std::min(kGlobalBurst, global_credit_ + passed.count() * per_second);
    if (global_credit_ < 1) {
        return false;
    }
    global_credit_ -= 1;
    return true;
}

bool PeerLimit::allow(const IpAddress& address, Duration interval, Instant now) {
    if (interval == Duration::zero()) {
        return true;
    }
    std::uint32_t slot = static_cast<std::uint32_t>(address.family);
    for (const std::uint32_t word : address.words) {
        slot = (slot ^ word) * 0x9e3779b1;
    }
    Peer& peer = peers_[slot >> 22];
    if (peer.address != address) {
        peer = Peer{address, now, burst_ * interval};
    }
    peer.credit = std::min<Duration>(burst_ * interval, peer.credit + (now - peer.refilled));
    peer.refilled = now;
    if (peer.credit < interval) {
        return false;
    }
    peer.credit -= interval;
    return true;
}

}  // namespace nsr::pipeline
