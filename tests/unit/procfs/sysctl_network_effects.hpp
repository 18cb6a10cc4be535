// What the sysctls of net.ipv4 and net.ipv6 do, but those of their conf.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "core/wire/icmp.hpp"
#include "tests/unit/procfs/sysctl_machine.hpp"

namespace nsr::test {

struct Effect {
    const char* name;
    void (*shows)(Machine&);
};

// A low threshold only bounds the high one. kernel: inet_frags, since 4.17
template <class Fragment>
void memory_is_bounded(Machine& m, const std::string& high, const std::string& low,
                       Fragment fragment) {
    fragment();
    CHECK(m.dropped(DropReason::FragmentMemory) == 0);
    CHECK_FALSE(m.write(high, "0"));
    m.set(low, "0");
    m.set(high, "0");
    CHECK_FALSE(m.write(low, "1"));
    fragment();
    CHECK(m.dropped(DropReason::FragmentMemory) == 1);
}

template <class Fragment>
void the_rest_may_take(Machine& m, const std::string& name, Fragment fragment) {
    m.set(name, "5");
    fragment();
    CHECK(m.router->expire(m.now + std::chrono::seconds(4), m.left));
    CHECK(m.dropped(DropReason::FragmentTimeout) == 0);
    CHECK(m.router->expire(m.now + std::chrono::seconds(6), m.left));
    CHECK(m.dropped(DropReason::FragmentTimeout) == 1);
}

inline void memory4(Machine& m) {
    memory_is_bounded(m, "ipv4/ipfrag_high_thresh", "ipv4/ipfrag_low_thresh",
                      [&] { m.fragment4(1, 0, true); });
}
inline void memory6_tracked(Machine& m) {
    memory_is_bounded(m, "netfilter/nf_conntrack_frag6_high_thresh",
                      "netfilter/nf_conntrack_frag6_low_thresh", [&] { m.fragment6(kServer6); });
}
inline void memory6_host(Machine& m) {
    m.stop_tracking();
    memory_is_bounded(m, "ipv6/ip6frag_high_thresh", "ipv6/ip6frag_low_thresh",
                      [&] { m.fragment6("[fd00:1::1]:53"); });
}

// By how many ways connections of one client to one server leave, which differ in their ports.
inline std::size_t ways_out(Machine& m, const char* client, const char* server, const char* to,
                            const char* over_wan, const char* over_other) {
    const IfIndex other = m.add_link("other", "203.0.113.1/24", "2001:db8:2::1/64");
    routing::Route route{.to = *parse_prefix(to)};
    route.hops = {{.via = parse_address(over_wan)}, {.via = parse_address(over_other)}};
    REQUIRE(m.router->add_route(route) == routing::RouteChange::Done);
    m.left.clear();
    for (int port = 1; port <= 32; ++port) {
        m.from_lan(udp(client + std::to_string(port), server));
    }
    REQUIRE(m.left.size() == 32);
    const auto by_other = std::count_if(m.left.begin(), m.left.end(), [&](const Packet& packet) {
        return packet.meta.out == other;
    });
    return by_other == 0 || by_other == 32 ? 1 : 2;
}
inline void by_ports4(Machine& m, const char* policy, std::size_t ways) {
    m.set("ipv4/fib_multipath_hash_policy", policy);
    CHECK(ways_out(m, "10.0.0.2:", "198.51.100.7:80", "198.51.100.0/24", "192.0.2.9",
                   "203.0.113.9") == ways);
}
inline void by_ports6(Machine& m, const char* policy, std::size_t ways) {
    m.set("ipv6/fib_multipath_hash_policy", policy);
    CHECK(ways_out(m, "[fd00:1::2]:", "[2001:db8:9::7]:80", "2001:db8:9::/64", "2001:db8::9",
                   "2001:db8:2::9") == ways);
}

inline const std::array kNetworkEffects = {
    Effect{"ipv4/fib_multipath_hash_policy",
           [](Machine& m) {
               Machine plain;
               by_ports4(plain, "0", 1);
               by_ports4(m, "1", 2);
           }},
    Effect{"ipv4/icmp_echo_ignore_all",
           [](Machine& m) {
               CHECK(answers_to(m, "10.0.0.2", "10.0.0.1") == 1);
               m.set("ipv4/icmp_echo_ignore_all", "1");
               CHECK(answers_to(m, "10.0.0.2", "10.0.0.1") == 0);
               CHECK(m.dropped(DropReason::LocalNoListener) == 1);
           }},
    Effect{"ipv4/icmp_echo_ignore_broadcasts",
           [](Machine& m) {
               CHECK(answers_to(m, "10.0.0.2", "10.0.0.255") == 0);
               m.set("ipv4/icmp_echo_ignore_broadcasts", "0");
               m.from_lan(ping("10.0.0.2", "10.0.0.255"));
               REQUIRE(m.left.size() == 1);
               CHECK(m.left[0].layout.source == parse_address("10.0.0.1"));
           }},
    Effect{"ipv6/icmp/echo_ignore_all",
           [](Machine& m) {
               CHECK(answers_to(m, "fd00:1::2", "fd00:1::1") == 1);
               m.set("ipv6/icmp/echo_ignore_all", "1");
               CHECK(answers_to(m, "fd00:1::2", "fd00:1::1") == 0);
           }},
    Effect{"ipv6/icmp/echo_ignore_anycast",
           [](Machine& m) {
               CHECK(answers_to(m, "fd00:1::2", "fd00:1::") == 1);
               m.set("ipv6/icmp/echo_ignore_anycast", "1");
               CHECK(answers_to(m, "fd00:1::2", "fd00:1::") == 0);
               CHECK(answers_to(m, "fd00:1::2", "fd00:1::1") == 1);
           }},
    Effect{"ipv6/icmp/echo_ignore_multicast",
           [](Machine& m) {
               CHECK(answers_to(m, "fd00:1::2", "ff02::1") == 1);
               m.set("ipv6/icmp/echo_ignore_multicast", "1");
               CHECK(answers_to(m, "fd00:1::2", "ff02::1") == 0);
               CHECK(answers_to(m, "fd00:1::2", "fd00:1::1") == 1);
           }},
    Effect{"ipv4/icmp_msgs_per_sec",
           [](Machine& m) {
               CHECK(errors_for(m, kClient, "10.0.0.1:53", 3) > 0);
               m.set("ipv4/icmp_msgs_per_sec", "0");
               m.now += std::chrono::seconds(60);
               CHECK(errors_for(m, kClient, "10.0.0.1:53", 3) == 0);
           }},
    Effect{"ipv4/icmp_ratelimit",
           [](Machine& m) {
               CHECK(errors_for(m, kClient, "10.0.0.1:53", 3) == 6);
               m.set("ipv4/icmp_ratelimit", "0");
               CHECK(errors_for(m, kClient, "10.0.0.1:53", 3) == 10);
           }},
    Effect{"ipv4/ip_default_ttl",
           [](Machine& m) {
               m.set("ipv4/ip_default_ttl", "99");
               m.from_lan(ping("10.0.0.2", "10.0.0.1"));
               REQUIRE(m.left.size() == 1);
               CHECK(m.left[0].layout.ttl == 99);
           }},
    Effect{"ipv4/ipfrag_high_thresh", memory4},
    Effect{"ipv4/ipfrag_low_thresh", memory4},
    Effect{"ipv4/ipfrag_max_dist",
           [](Machine& m) {  // too many others in between: it begins again, and stays incomplete
               const auto complete = [&](std::uint16_t id) {
                   m.fragment4(id, 0, true);
                   m.fragment4(90, 0, true);
                   m.fragment4(91, 0, true);
                   m.fragment4(id, 1008, false);
                   return m.router->defrag().stats(Family::Ipv4).reassembled;
               };
               CHECK(complete(1) == 1);
               m.set("ipv4/ipfrag_max_dist", "1");
               CHECK(complete(2) == 1);
           }},
    Effect{"ipv4/ipfrag_time",
           [](Machine& m) {
               the_rest_may_take(m, "ipv4/ipfrag_time", [&] { m.fragment4(1, 0, true); });
           }},
    Effect{"ipv6/fib_multipath_hash_policy",
           [](Machine& m) {
               Machine plain;
               by_ports6(plain, "0", 1);
               by_ports6(m, "1", 2);
           }},
    Effect{"ipv6/icmp/ratelimit",
           [](Machine& m) {
               CHECK(errors_for(m, kClient6, "[fd00:1::1]:53", 1) == 6);
               m.set("ipv6/icmp/ratelimit", "0");
               CHECK(errors_for(m, kClient6, "[fd00:1::1]:53", 1) == 10);
           }},
    Effect{"ipv6/ip6frag_high_thresh", memory6_host},
    Effect{"ipv6/ip6frag_low_thresh", memory6_host},
    Effect{"ipv6/ip6frag_time",
           [](Machine& m) {
               m.stop_tracking();
               the_rest_may_take(m, "ipv6/ip6frag_time", [&] { m.fragment6("[fd00:1::1]:53"); });
           }},
};

}  // namespace nsr::test
