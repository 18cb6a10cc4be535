// Names of hosts and networks that rules may use in place of addresses: what the caller has read
// from /etc/hosts and /etc/networks. Nothing is asked of the DNS: a rule means the same at every
// start.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/wire/address.hpp"

namespace nsr::rules {

class HostNames {
  public:
    // Text of hosts(5) and networks(5); lines that make no sense are passed over.
    void add_hosts(std::string_view text);
    void add_networks(std::string_view text);

    // All addresses of this family that the name has, in the order of the file.
    [[nodiscard]] std::vector<IpAddress> hosts(std::string_view name, Family family) const;
    [[nodiscard]] std::optional<IpAddress> network(std::string_view name) const;

  private:
    std::multimap<std::string, IpAddress> hosts_;  // lower case
    std::map<std::string, IpAddress> networks_;
};

}  // namespace nsr::rules
