// InterfaceTable: the router's links by index and by name, and whose address is whose. An index is
// given out once: whoever still holds that of an interface which is gone cannot mean another one.
// kernel: dev_index_reserve
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/check.hpp"
#include "core/base/ids.hpp"
#include "core/routing/interface.hpp"
#include "core/wire/address.hpp"

namespace nsr::routing {

class InterfaceTable {
  public:
    static constexpr std::size_t kMostIndices = 0xfffe;  // over the life of the table

    // Gives it next_index(). Precondition: there is one.
    IfIndex add(Interface interface);
    // Precondition: has().
    void remove(IfIndex index);
    // None: all have been given out.
    [[nodiscard]] IfIndex next_index() const;
    [[nodiscard]] bool has(IfIndex index) const {
        return index != IfIndex::None && raw(index) <= places_.size() &&
               places_[raw(index) - 1U] != kGone;
    }
    // Null: no interface has this name.
    [[nodiscard]] const Interface* find(std::string_view name) const;
    // Precondition: has().
    [[nodiscard]] Interface& get(IfIndex index) {
        NSR_CHECK(has(index));
        return interfaces_[places_[raw(index) - 1U]];
    }
    [[nodiscard]] const Interface& get(IfIndex index) const {
        NSR_CHECK(has(index));
        return interfaces_[places_[raw(index) - 1U]];
    }
    [[nodiscard]] const std::vector<Interface>& all() const { return interfaces_; }
    // [i] has index i + 1; empty: it is gone.
    [[nodiscard]] std::vector<std::string> names_by_index() const;
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
    static constexpr std::uint16_t kGone = 0xffff;

    std::vector<Interface> interfaces_;  // in the order in which they came
    std::vector<std::uint16_t> places_;  // [i]: where index i + 1 is in interfaces_
    IfIndex host_ = IfIndex::None;
};

}  // namespace nsr::routing
