#include "core/pipeline/icmp_limit.hpp"

#include <algorithm>
#include <iterator>

namespace nsr::pipeline {

namespace {

constexpr std::uint32_t kErrorBurst = 6;  // kernel: XRLIM_BURST_FACTOR
constexpr Jiffies kShortestRefill = kJiffiesPerSecond / 50;
constexpr std::uint32_t kUnroutableCost = kJiffiesPerSecond;     // kernel: ip_rt_error_cost
constexpr std::uint32_t kUnroutableBurst = 5 * kUnroutableCost;  // kernel: ip_rt_error_burst
constexpr std::uint32_t kRedirects = 9;                          // kernel: ip_rt_redirect_number
constexpr std::uint32_t kRedirectLoad = kJiffiesPerSecond / 50;  // kernel: ip_rt_redirect_load
constexpr std::uint32_t kRedirectSilence = kRedirectLoad << (kRedirects + 1);

}  // namespace

// Who is refused costs the others nothing. What an error costs is random, so that nobody can count
// the errors that others got. kernel: icmpv4_xrlim_allow, icmpv6_xrlim_allow, icmp_global_consume
bool IcmpLimit::allow_error(const IpAddress& address, Rates rates, Instant now,
                            RandomSource& random) {
    const Jiffies jiffies = to_jiffies(now);
    if (!allow_to_all(rates.per_second, jiffies) ||
        !allow_to_peer(address, rates.per_peer_ms, jiffies)) {
        return false;
    }
    credit_to_all_ -= random.below(3);
    return true;
}

bool IcmpLimit::allow_unroutable(const IpAddress& address, Instant now) {
    const Jiffies jiffies = to_jiffies(now);
    Peer& known = peer(address, jiffies);
    known.tokens = std::min(known.tokens + (jiffies - known.last), kUnroutableBurst);
    known.last = jiffies;
    if (known.tokens < kUnroutableCost) {
        return false;
    }
    known.tokens -= kUnroutableCost;
    return true;
}

// The more a sender ignores them, the longer until the next one; after nine, silence until it has
// been quiet for 20 s.
bool IcmpLimit::allow_redirect(const IpAddress& address, Instant now) {
    const Jiffies jiffies = to_jiffies(now);
    Peer& known = peer(address, jiffies);
    if (jiffies - known.last > kRedirectSilence) {
        known.tokens = 0;
        known.redirects = 0;
    }
    if (known.redirects >= kRedirects) {
        known.last = jiffies;
        return false;
    }
    if (known.redirects != 0 && jiffies - known.last <= kRedirectLoad << known.redirects) {
        return false;
    }
    known.last = jiffies;
    ++known.redirects;
    return true;
}

IcmpLimit::Peer& IcmpLimit::peer(const IpAddress& address, Jiffies now) {
    const auto& words = address.words;
    const std::uint64_t input[] = {
        static_cast<std::uint64_t>(words[0]) << 32 | words[1],
        static_cast<std::uint64_t>(words[2]) << 32 | words[3],
        static_cast<std::uint64_t>(address.family),
    };
    Peer& found = peers_[siphash13(key_, input, std::size(input)) % peers_.size()];
    if (found.address != address) {
        found = Peer{address, now - 60 * kJiffiesPerSecond};
    }
    return found;
}

// kernel: icmp_global_allow
bool IcmpLimit::allow_to_all(std::uint32_t per_second, Jiffies now) {
    if (credit_to_all_ > 0) {
        return per_second != 0;
    }
    const Jiffies passed = std::min<Jiffies>(now - refilled_, kJiffiesPerSecond);
    const std::int64_t more = std::int64_t{per_second} * passed / kJiffiesPerSecond;
    if (passed < kShortestRefill || more == 0) {
        return false;
    }
    refilled_ = now;
    credit_to_all_ = std::min(credit_to_all_ + more, kBurstToAll);
    return true;
}

// kernel: inet_peer_xrlim_allow
bool IcmpLimit::allow_to_peer(const IpAddress& address, std::uint32_t per_peer_ms, Jiffies now) {
    const auto cost = static_cast<std::uint32_t>(std::chrono::milliseconds(per_peer_ms) / kJiffy);
    Peer& known = peer(address, now);
    if (known.last != now) {
        known.tokens = std::min(known.tokens + (now - known.last), kErrorBurst * cost);
        known.last = now;
    }
    if (known.tokens < cost) {
        return false;
    }
    known.tokens -= cost;
    return true;
}

}  // namespace nsr::pipeline
