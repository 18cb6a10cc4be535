// Groups: the multicast groups that processes in the [host] namespace have joined.
//
// Theory of operation
//   Their kernel reports every change to the link: IGMP (RFC 2236, RFC 3376) or MLD (RFC 2710,
//   RFC 3810). The router is that link's only listener and reads the reports to learn which groups
//   to deliver; which sources of a group a socket wants is judged again by the kernel there. What
//   a report asks for beyond kMost groups is ignored.
// kernel: ip_check_mc_rcu, ipv6_chk_mcast_addr
#pragma once

#include <cstddef>
#include <vector>

#include "core/packet/packet.hpp"
#include "core/wire/bytes.hpp"

namespace nsr::local {

class Groups {
  public:
    static constexpr std::size_t kMost = 1024;

    // A packet that is no report changes nothing.
    void learn(const Packet& packet);
    [[nodiscard]] bool joined(const IpAddress& group) const;

  private:
    void learn_records(wire::ConstBytes report, Family family);
    void join(const IpAddress& group);
    void leave(const IpAddress& group);

    std::vector<IpAddress> groups_;  // sorted
};

}  // namespace nsr::local
