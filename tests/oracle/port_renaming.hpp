// Ports that the kernel chose at random: any choice is right, as long as it is consistent.
#pragma once

#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "tests/oracle/recorded_case.hpp"

namespace oracle {

// The address and port at the other end.
using Peer = std::pair<nsr::IpAddress, unsigned>;

// A bijection of ports for each protocol, address and peer, found while packets are compared and
// then applied to the lines of the table.
class PortRenaming {
  public:
    PortRenaming(const std::vector<PortAgnostic>& specs, const std::vector<Bytes>& arrivals);

    [[nodiscard]] bool active() const { return !specs_.empty(); }
    [[nodiscard]] const PortAgnostic* spec(unsigned protocol, const nsr::IpAddress& address,
                                           unsigned port) const;
    // May `actual` stand where `expected` was recorded? Remembers the choice.
    bool same(unsigned protocol, const nsr::IpAddress& address, const Peer& peer,
              std::pair<unsigned, unsigned> expected_and_actual);
    // The recorded port for an actual one, if it is known; else the port itself.
    [[nodiscard]] unsigned back(unsigned protocol, const nsr::IpAddress& address, const Peer& peer,
                                unsigned actual) const;

  private:
    using Key = std::tuple<unsigned, nsr::IpAddress, std::optional<Peer>, unsigned>;

    const std::vector<PortAgnostic>& specs_;
    std::set<std::pair<unsigned, unsigned>> kept_;  // protocol, port: sent as such, so not random
    std::map<Key, unsigned> forward_;
    std::map<Key, unsigned> backward_;
};

}  // namespace oracle
