#include "core/pipeline/icmp_limit.hpp"

#include <algorithm>
#include <iterator>

namespace nsr::pipeline {

namespace {

constexpr std::uint32_t kErrorBurst = 6;                         // kernel: XRLIM_BURST_FACTOR
constexpr std::uint32_t kUnroutableCost = kJiffiesPerSecond;     // kernel: ip_rt_error_cost
constexpr std::uint32_t kUnroutableBurst = 5 * kUnroutableCost;  // kernel: ip_rt_error_burst
constexpr std::uint32_t kRedirects = 9;                          // kernel: ip_rt_redirect_number
constexpr std::uint32_t kRedirectLoad = kJiffiesPerSecond / 50;  // kernel: ip_rt_redirect_load
constexpr std::uint32_t kRedirectSilence = kRedirectLoad << (kRedirects + 1);

}  // namespace

bool IcmpLimit::allow_error(const IpAddress& address, Rates rates, Instant now) {
    if (!allow_global(rates.per_second, now)) {
        return false;
    }
    const Jiffies jiffies = to_jiffies(now);
    const auto cost =
        static_cast<std::uint32_t>(std::chrono::milliseconds(rates.per_peer_ms) / kJiffy);
    Peer& known = peer(address, jiffies);
    if (known.last != jiffies) {
        known.tokens = std::min(known.tokens + (jiffies - known.last), kErrorBurst * cost);
        known.last = jiffies;
    }
    if (known.tokens < cost) {
        return false;
    }
    known.tokens -= cost;
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

}  // namespace nsr::pipeline
