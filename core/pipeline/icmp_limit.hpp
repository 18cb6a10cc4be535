// How many ICMP errors the router may send: one bucket for all, one for each peer.
// kernel: icmp_global_allow, inet_peer_xrlim_allow
#pragma once

#include <array>
#include <cstdint>

#include "core/base/instant.hpp"
#include "core/wire/address.hpp"

namespace nsr::pipeline {

// Token buckets by peer, in a small direct-mapped cache: a peer that is pushed out starts with a
// full one.
class PeerLimit {
  public:
    explicit PeerLimit(std::int64_t burst) : burst_(burst) {}
    // One more to `peer` within the limit? Counts it if so. `interval` zero: no limit.
    bool allow(const IpAddress& peer, Duration interval, Instant now);

  private:
    struct Peer {
        IpAddress address;
        Instant refilled{};
        Duration credit{};
    };

    std::int64_t burst_;
    std::array<Peer, 1024> peers_{};
};

class IcmpLimit {
  public:
    struct Rates {
        std::uint32_t per_peer_ms = 1000;  // between errors to one peer; 0: no limit
        std::uint32_t per_second = 1000;   // to everybody; 0: no limit
    };
    // Is one more error to `peer` within the limits? Counts it if so.
    bool allow(const IpAddress& peer, Rates rates, Instant now);

  private:
    static constexpr std::int64_t kPeerBurst = 6;  // kernel: XRLIM_BURST_FACTOR
    static constexpr double kGlobalBurst = 50;     // kernel: icmp_msgs_burst

    bool allow_global(std::uint32_t per_second, Instant now);

    PeerLimit peers_{kPeerBurst};
    double global_credit_ = kGlobalBurst;
    Instant global_refilled_{};
};

}  // namespace nsr::pipeline
