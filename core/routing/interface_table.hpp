// InterfaceTable: the router's links by index and by name, and whose address is whose. An interface
// that was added stays; its index is its place.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/routing/interface.hpp"
#include "core/wire/address.hpp"

namespace nsr::routing {

class InterfaceTable {
  public:
    IfIndex add(Interface interface);  // gives it the next index, from 1
    // Null: no interface has this name.
    [[nodiscard]] const Interface* find(std::string_view name) const;
    // Precondition: add() gave this index.
    [[nodiscard]] Interface& get(IfIndex index);
    [[nodiscard]] const Interface& get(IfIndex index) const;
    [[nodiscard]] const std::vector<Interface>& all() const { return interfaces_; }
    // The interface of the [host] namespace; None if there is none.
    [[nodiscard]] IfIndex host() const { return host_; }

    // Is this one of the router's own addresses? Also every address of 127/8 and ::1.
    [[nodiscard]] bool is_own(const IpAddress& address) const;
    // The interface one of whose own addresses this is; None for loopback and strangers.
    [[nodiscard]] IfIndex owner_of(const IpAddress& address) const;
    // The source address for packets that begin here and leave through `out` towards `destination`:
    // the address whose prefix contains it, else the primary; if `out` has none of that family, any
    // other interface's. kernel: inet_select_addr, ipv6_dev_get_saddr
    [[nodiscard]] std::optional<IpAddress> source_for(IfIndex out,
                                                      const IpAddress& destination) const;

  private:
    std::vector<Interface> interfaces_;  // [i] has index i + 1
    IfIndex host_ = IfIndex::None;
};

}  // namespace nsr::routing
