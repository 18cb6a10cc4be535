// Defrag: puts IPv4 and IPv6 datagrams together before tracking sees them.
//
// Theory of operation
//   collect() takes every fragment. A datagram's queue is keyed by source, destination, protocol
//   (IPv4), identification, zone and where it is reassembled (PREROUTING or OUTPUT), not by
//   interface. Fragments are kept sorted by offset, in O(log n) each, whatever their order. The
//   last one that completes the datagram returns it whole, with its FragmentGeometry; before that
//   they are stolen. Overlaps discard the queue, exact duplicates and contained fragments only
//   themselves. Memory is bounded by high_thresh, per datagram by 65535 bytes; queues die by timer.
// kernel: ip_fragment.c (ip_defrag), inet_fragment.c, nf_conntrack_reasm.c. RFC 791 3.2, RFC
// 8200 4.5, RFC 5722, RFC 6946
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/instant.hpp"
#include "core/base/siphash.hpp"
#include "core/base/verdict.hpp"
#include "core/packet/packet.hpp"

namespace nsr::defrag {

// net.ipv4.ipfrag_*, net.ipv6.ip6frag_*, nf_conntrack_frag6_*. Times in seconds, thresholds in
// bytes.
struct Settings {
    std::uint32_t ipfrag_time = 30;
    std::uint64_t ipfrag_high_thresh = 4194304;
    std::uint64_t ipfrag_low_thresh = 3145728;
    std::uint32_t ipfrag_max_dist = 64;
    std::uint32_t ip6frag_time = 60;
    std::uint64_t ip6frag_high_thresh = 4194304;
    std::uint64_t ip6frag_low_thresh = 3145728;
    std::uint32_t frag6_timeout = 60;
    std::uint64_t frag6_high_thresh = 4194304;
    std::uint64_t frag6_low_thresh = 3145728;
    friend bool operator==(const Settings&, const Settings&) = default;
};

// kernel: the Reasm* lines of /proc/net/snmp and snmp6
struct Stats {
    std::uint64_t timeouts = 0;
    std::uint64_t requests = 0;
    std::uint64_t reassembled = 0;
    std::uint64_t failed = 0;
};

// Whose limits count for IPv6: nf_conntrack_frag6_* before tracking, ip6frag_* where the router as
// a host does it because nothing is tracked. IPv4 has one set, ipfrag_*.
enum class Reassembler : std::uint8_t { Tracking, Host };

class Defrag {
  public:
    Defrag(const Settings& settings, SipKey key);
    ~Defrag();

    // accept: `packet` is whole (it was, or it is now the reassembled datagram, dissected anew,
    // without IPv6 fragment header and with `fragments` set). stolen: kept. drop: discarded, with
    // the reason; so may be the queue.
    Verdict collect(Packet& packet, Reassembler who, Instant now);

    // A datagram whose time ran out. `first` is its first fragment (offset 0), empty if that never
    // came; it is what an ICMP time exceeded quotes.
    struct TimedOut {
        Packet first;
        std::uint32_t fragments = 0;  // how many are lost
        Family family = Family::None;
    };
    // One of those whose time is over; nothing: that was all.
    std::optional<TimedOut> expire_one(Instant now);
    [[nodiscard]] std::optional<Instant> next_deadline() const;

    [[nodiscard]] Settings& settings();
    [[nodiscard]] const Settings& settings() const;
    [[nodiscard]] const Stats& stats(Family family) const;
    [[nodiscard]] Stats& stats(Family family);  // of shards they are sums
    [[nodiscard]] std::size_t bytes_in_use(Family family) const;
    void clear();
    // The interface is gone: so are datagrams whose latest fragment came from it. How many
    // fragments are lost, by index_of(family).
    std::array<std::uint32_t, 2> forget(IfIndex interface);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nsr::defrag
