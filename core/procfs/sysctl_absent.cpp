// Keys that hosts set and a router like this one has no use for.
#include <algorithm>
#include <array>
#include <string>

#include "core/base/words.hpp"
#include "core/procfs/sysctl.hpp"

namespace nsr::procfs {

namespace {

constexpr std::string_view kNoLink =
    "a TUN device carries IP packets: there is no link layer, and no ARP or neighbour discovery";
constexpr std::string_view kNoSockets =
    "the router has no sockets; those of processes in the [host] namespace have the sysctls of "
    "that namespace: ip netns exec NAME sysctl";
constexpr std::string_view kNatPorts =
    "it is for sockets, of which the router has none: NAT takes ports from 1024-65535 or "
    "--to-ports, "
    "as the kernel's does; processes in the [host] namespace have the sysctls of that namespace";
constexpr std::string_view kNoBridge = "the router has no bridge";
constexpr std::string_view kNoMulticast = "the router does not forward multicast";
constexpr std::string_view kNoAddressesOfItsOwn =
    "the router has the addresses that it is given, and makes none";

struct Absent {
    std::string_view begins;  // a path below net/; what follows `*` is behind the interface
    std::string_view why;
};
constexpr std::array kAbsent = {
    Absent{"ipv4/conf/*/arp_", kNoLink},
    Absent{"ipv4/conf/*/proxy_arp", kNoLink},
    Absent{"ipv4/conf/*/drop_gratuitous_arp", kNoLink},
    Absent{"ipv4/conf/*/drop_unicast_in_l2_multicast", kNoLink},
    Absent{"ipv4/neigh/", kNoLink},
    Absent{"ipv4/ip_local_port_range", kNatPorts},
    Absent{"ipv4/ip_local_reserved_ports", kNatPorts},
    Absent{"ipv4/ip_nonlocal_bind", kNoSockets},
    Absent{"ipv4/ip_unprivileged_port_start", kNoSockets},
    Absent{"ipv4/ping_group_range", kNoSockets},
    Absent{"ipv4/tcp_", kNoSockets},
    Absent{"ipv4/udp_", kNoSockets},
    Absent{"core/", kNoSockets},
    Absent{"ipv4/conf/*/mc_forwarding", kNoMulticast},
    Absent{"ipv6/conf/*/mc_forwarding", kNoMulticast},
    Absent{"ipv6/conf/*/accept_dad", kNoLink},
    Absent{"ipv6/conf/*/dad_transmits", kNoLink},
    Absent{"ipv6/conf/*/proxy_ndp", kNoLink},
    Absent{"ipv6/conf/*/ndisc_", kNoLink},
    Absent{"ipv6/conf/*/autoconf", kNoAddressesOfItsOwn},
    Absent{"ipv6/conf/*/use_tempaddr", kNoAddressesOfItsOwn},
    Absent{"ipv6/conf/*/addr_gen_mode", kNoAddressesOfItsOwn},
    Absent{"ipv6/neigh/", kNoLink},
    Absent{"ipv6/ip_nonlocal_bind", kNoSockets},
    Absent{"bridge/", kNoBridge},
};

bool begins(std::string_view path, std::string_view with) {
    const std::size_t star = with.find('*');
    if (star == std::string_view::npos) {
        return path.starts_with(with);
    }
    const std::size_t behind = path.find('/', star);
    return behind != std::string_view::npos && path.starts_with(with.substr(0, star)) &&
           path.substr(behind).starts_with(with.substr(star + 1));
}

}  // namespace

std::string_view why_no_sysctl(std::string_view name) {
    constexpr std::string_view kRoot = "net/";
    const std::string whole = sysctl_path(name);
    if (!whole.starts_with(kRoot)) {
        return {};
    }
    const std::string_view path = std::string_view(whole).substr(kRoot.size());
    const auto found = std::find_if(kAbsent.begin(), kAbsent.end(),
                                    [&](const Absent& each) { return begins(path, each.begins); });
    return found == kAbsent.end() ? std::string_view() : found->why;
}

}  // namespace nsr::procfs
