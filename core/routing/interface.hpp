// The router's links and addresses, as the core knows them. kernel: net_device, in_device,
// inet6_dev
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"
#include "core/wire/address.hpp"

namespace nsr::routing {

struct InterfaceCounters {
    std::uint64_t rx_packets = 0;
    std::uint64_t rx_bytes = 0;
    std::uint64_t rx_dropped = 0;
    std::uint64_t tx_packets = 0;
    std::uint64_t tx_bytes = 0;
    std::uint64_t tx_dropped = 0;
};

struct Interface {
    IfIndex index = IfIndex::None;
    std::string name;  // what rules call it
    std::uint32_t mtu = 1500;
    std::vector<Prefix>
        addresses;  // the router's own, in order; the first of a family is its primary
    bool up = true;
    bool host =
        false;  // the [host] namespace: real sockets "on the router"; its packets enter OUTPUT
    bool gso_tcp = false;           // takes TCP super-packets
    bool checksum_offload = false;  // takes Partial checksums
    bool gso_udp = false;           // takes UDP super-packets
    InterfaceCounters counters;
};

// What is gone: the address, and with the primary of an IPv4 network its secondaries. kernel:
// inet_del_ifa (promote_secondaries 0)
std::vector<Prefix> remove_address(Interface& interface, const Prefix& address);

class InterfaceTable {
  public:
    IfIndex add(Interface interface);  // gives it the next index, from 1
    [[nodiscard]] Interface* find(std::string_view name);
    [[nodiscard]] const Interface* find(std::string_view name) const;
    [[nodiscard]] Interface& get(IfIndex index);
    [[nodiscard]] const Interface& get(IfIndex index) const;
    [[nodiscard]] const std::vector<Interface>& all() const { return interfaces_; }
    [[nodiscard]] std::vector<Interface>& all() { return interfaces_; }

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
};

}  // namespace nsr::routing
