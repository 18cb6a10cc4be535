// How many ICMP errors the router may send to one peer and to everybody.
//
// Theory of operation
//   A peer has one bucket of tokens (a token is a jiffy) that three limits share, each in its own
//   way, as in the kernel: errors in general (icmp_ratelimit), errors about unroutable packets,
//   redirects. So one kind can use up what another would have had. Peers live in a small
//   direct-mapped cache; one that is pushed out starts afresh, with a full bucket. Its hash is
//   keyed, so that nobody can choose addresses that push each other out.
// kernel: struct inet_peer, inet_peer_xrlim_allow, ip_error, ip_rt_send_redirect, icmp_global_allow
#pragma once

#include <array>
#include <cstdint>

#include "core/base/instant.hpp"
#include "core/base/random.hpp"
#include "core/base/siphash.hpp"
#include "core/wire/address.hpp"

namespace nsr::pipeline {

class IcmpLimit {
  public:
    struct Rates {
        std::uint32_t per_peer_ms = 1000;  // between errors to one peer; 0: no limit
        std::uint32_t per_second = 1000;   // to everybody, of both families; 0: none
    };
    explicit IcmpLimit(SipKey key) : key_(key) {}

    // Each asks for one more to `peer`, and counts it if the answer is yes.
    bool allow_error(const IpAddress& peer, Rates rates, Instant now, RandomSource& random);
    bool allow_unroutable(const IpAddress& peer, Instant now);
    bool allow_redirect(const IpAddress& peer, Instant now);

  private:
    struct Peer {
        IpAddress address;
        Jiffies last = 0;
        std::uint32_t tokens = 0;
        std::uint32_t redirects = 0;
    };
    Peer& peer(const IpAddress& address, Jiffies now);
    bool allow_to_all(std::uint32_t per_second, Jiffies now);
    bool allow_to_peer(const IpAddress& address, std::uint32_t per_peer_ms, Jiffies now);

    static constexpr std::int64_t kBurstToAll = 50;  // kernel: icmp_msgs_burst

    SipKey key_;
    std::array<Peer, 1024> peers_{};
    std::int64_t credit_to_all_ = kBurstToAll;
    Jiffies refilled_ = 0;
};

}  // namespace nsr::pipeline
