// Anonymizer: other addresses in the place of the real ones, so that what was equal stays equal,
// and what was in one network stays in one network.
//
// Theory of operation
//   Each bit of an address is turned over or not, by a keyed hash of the bits before it (the scheme
//   of Crypto-PAn): two addresses that share their first n bits share n bits afterwards, no more
//   and no fewer, and no two become one. Without the key nobody computes it backwards. What has a
//   meaning of its own stays what it is: some bits are never turned over.
//     a way     the bits of a prefix, seen from above: what is in it stays in it
//     the ends  of a network: its first and its last address (itself, and its broadcast)
//     all below a prefix: for ranges ("10.0.0.3-10.0.0.9"), whose order counts
//   Always kept: unspecified, loopback and multicast addresses as a whole, 240.0.0.0/4 (masks and
//   the broadcast), the prefixes of link-local, global and unique local addresses. An IPv4 address
//   inside ::ffff:0:0/96 is treated as that IPv4 address.
// J. Fan, J. Xu, M. Ammar: Crypto-PAn
#pragma once

#include <map>
#include <vector>

#include "core/base/siphash.hpp"
#include "core/wire/address.hpp"

namespace nsr::router {

class Anonymizer {
  public:
    explicit Anonymizer(SipKey key);

    // Before the first address is asked for.
    void keep_ends(const Prefix& network) { ends_.push_back(network.network()); }
    void keep_below(const Prefix& prefix) { below_.push_back(prefix.network()); }

    [[nodiscard]] IpAddress address(const IpAddress& real) const;
    // Of a network its bits alone; of an address with a length all of them.
    [[nodiscard]] Prefix prefix(const Prefix& real) const;

  private:
    [[nodiscard]] IpAddress turned(const IpAddress& real) const;
    [[nodiscard]] bool turns(const IpAddress& real, unsigned bit) const;
    [[nodiscard]] bool stays(const IpAddress& real, unsigned bit) const;

    SipKey key_;
    std::vector<Prefix> ways_;
    std::vector<Prefix> ends_;
    std::vector<Prefix> below_;
    mutable std::map<IpAddress, IpAddress> known_;  // a table names the same ones again and again
};

// The smallest prefix that has both. Precondition: of one family.
Prefix common_prefix(const IpAddress& a, const IpAddress& b);

}  // namespace nsr::router
