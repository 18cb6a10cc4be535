#include "core/pipeline/icmp_limit.hpp"

#include <algorithm>

namespace nsr::pipeline {

bool IcmpLimit::allow(const IpAddress& peer, Rates rates, Instant now) {
    return allow_global(rates.per_second, now) && allow_peer(peer, rates.per_peer_ms, now);
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

bool IcmpLimit::allow_peer(const IpAddress& address, std::uint32_t interval_ms, Instant now) {
    if (interval_ms == 0) {
        return true;
    }
    const Duration interval = std::chrono::milliseconds(interval_ms);
    std::uint32_t slot = static_cast<std::uint32_t>(address.family);
    for (const std::uint32_t word : address.words) {
        slot = (slot ^ word) * 0x9e3779b1;
    }
    Peer& peer = peers_[slot >> 22];
    if (peer.address != address) {
        peer = Peer{address, now, kPeerBurst * interval};
    }
    peer.credit = std::min<Duration>(kPeerBurst * interval, peer.credit + (now - peer.refilled));
    peer.refilled = now;
    if (peer.credit < interval) {
        return false;
    }
    peer.credit -= interval;
    return true;
}

}  // namespace nsr::pipeline
