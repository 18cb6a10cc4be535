// What the sysctls of net.ipv4.conf and net.ipv6.conf do, and ip_forward, which is one of them.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "core/rules/language/parse.hpp"
#include "core/wire/icmp.hpp"
#include "tests/unit/procfs/sysctl_machine.hpp"
#include "tests/unit/procfs/sysctl_network_effects.hpp"

namespace nsr::test {

inline std::size_t passes(Machine& m, const PacketBuilder& packet) {
    m.left.clear();
    m.from_lan(packet);
    const std::size_t passed = m.left.size();
    m.left.clear();
    return passed;
}
inline std::size_t passes4(Machine& m) {
    return passes(m, udp(kClient, kServer));
}
inline std::size_t passes6(Machine& m) {
    return passes(m, udp(kClient6, kServer6));
}

inline const std::array kConfEffects = {
    Effect{"ipv4/ip_forward",
           [](Machine& m) {
               m.set("ipv4/ip_forward", "0");
               CHECK(passes4(m) == 0);
               CHECK(passes6(m) == 1);
               CHECK(m.dropped(DropReason::ForwardingDisabled) == 1);
           }},
    Effect{"ipv4/conf/*/forwarding",  // of the interface where a packet comes in
           [](Machine& m) {
               m.set("ipv4/conf/wan/forwarding", "0");
               CHECK(passes4(m) == 1);
               m.set("ipv4/conf/lan/forwarding", "0");
               CHECK(passes4(m) == 0);
               m.from_lan(udp(kClient, "203.0.113.9:80"));  // nor is it told that there is no way
               CHECK(m.left.empty());
               CHECK(m.dropped(DropReason::ForwardingDisabled) == 2);
               m.set("ipv4/conf/all/forwarding", "0");
               m.set("ipv4/conf/all/forwarding", "1");
               CHECK(passes4(m) == 1);
           }},
    Effect{"ipv6/conf/*/forwarding",  // "all" alone forwards; an interface is a router's or not
           [](Machine& m) {
               CHECK(answers_to(m, "fd00:1::2", "ff02::2") == 1);
               CHECK(answers_to(m, "fd00:1::2", "fd00:1::") == 1);
               m.set("ipv6/conf/lan/forwarding", "0");
               CHECK(answers_to(m, "fd00:1::2", "ff02::2") == 0);
               m.from_lan(ping("fd00:1::2", "fd00:1::"));  // an address like others of the network
               REQUIRE(m.left.size() == 1);
               CHECK(m.left[0].layout.destination == parse_address("fd00:1::"));
               CHECK(passes6(m) == 1);
               m.set("ipv6/conf/all/forwarding", "0");
               CHECK(passes6(m) == 0);
               CHECK(passes4(m) == 1);
               CHECK(m.dropped(DropReason::ForwardingDisabled) == 1);
           }},
    Effect{"ipv6/conf/*/disable_ipv6",
           [](Machine& m) {
               m.set("ipv6/conf/lan/disable_ipv6", "1");
               CHECK(passes6(m) == 0);
               CHECK(passes4(m) == 1);
               CHECK(m.dropped(DropReason::InterfaceDown) == 1);
               m.from_wan(ping("2001:db8::7", "fd00:1::1"));  // an address that it has no more
               CHECK(m.told(wire::icmpv6::kEchoReply) == 0);
               m.set("ipv6/conf/all/disable_ipv6", "0");
               CHECK(passes6(m) == 1);
               m.set("ipv6/conf/all/disable_ipv6", "1");
               CHECK(passes6(m) == 0);
               CHECK(*procfs::read_sysctl(m.context, "net.ipv6.conf.wan.disable_ipv6") == "1");
           }},
    Effect{
        "ipv4/conf/*/accept_local",
        [](Machine& m) {
            for (const char* name : {"ipv4/conf/all/accept_local", "ipv4/conf/lan/accept_local"}) {
                CHECK(passes(m, udp("192.0.2.1:1", kServer)) == 0);
                m.set(name, "1");
                CHECK(passes(m, udp("192.0.2.1:1", kServer)) == 1);
                m.set("ipv4/conf/all/rp_filter", "1");  // it is an address of another link
                CHECK(passes(m, udp("192.0.2.1:1", kServer)) == 0);
                CHECK(passes(m, udp("10.0.0.1:1", kServer)) == 1);
                m.set("ipv4/conf/all/rp_filter", "0");
                m.set(name, "0");
            }
            CHECK(m.dropped(DropReason::MartianSource) == 2);
        }},
    Effect{"ipv4/conf/*/route_localnet",
           [](Machine& m) {
               for (const char* name :
                    {"ipv4/conf/all/route_localnet", "ipv4/conf/lan/route_localnet"}) {
                   CHECK(answers_to(m, "10.0.0.2", "127.0.0.1") == 0);
                   m.set(name, "1");
                   CHECK(answers_to(m, "10.0.0.2", "127.0.0.1") == 1);
                   m.set(name, "0");
               }
               CHECK(m.dropped(DropReason::MartianDestination) == 2);
               m.set("ipv4/conf/lan/route_localnet", "1");
               m.from_lan(ping("192.0.2.7", "127.0.0.1"));  // the answer would leave by wan
               CHECK(m.left.empty());
           }},
    Effect{"ipv4/conf/*/log_martians",
           [](Machine& m) {
               m.log.lines.clear();
               m.from_lan(udp("10.0.0.1:1", kServer));
               CHECK(m.log.lines.empty());
               m.set("ipv4/conf/lan/log_martians", "1");
               m.from_lan(udp("10.0.0.1:1", kServer));
               m.from_lan(udp(kClient, "127.0.0.1:2"));
               m.from_wan(udp("10.0.0.1:1", kServer));
               m.set("ipv4/conf/all/log_martians", "1");
               m.set("ipv4/conf/all/rp_filter", "1");
               m.from_wan(udp("10.0.0.2:1", "192.0.2.1:2"));
               CHECK(m.log.lines ==
                     std::vector<std::string>{
                         "IPv4: martian source 192.0.2.7 from 10.0.0.1, on dev lan",
                         "IPv4: martian destination 127.0.0.1 from 10.0.0.2, dev lan",
                         "IPv4: martian source 192.0.2.1 from 10.0.0.2, on dev wan"});
               for (int i = 0; i < 20; ++i) {
                   m.from_lan(udp("10.0.0.1:1", kServer));
               }
               CHECK(m.log.lines.size() == 10);
           }},
    Effect{"ipv4/conf/*/rp_filter",
           [](Machine& m) {
               for (const char* name : {"ipv4/conf/all/rp_filter", "ipv4/conf/lan/rp_filter"}) {
                   const std::uint64_t before = m.dropped(DropReason::ReversePathFilter);
                   m.from_lan(udp("192.0.2.9:1", kServer));
                   CHECK(m.dropped(DropReason::ReversePathFilter) == before);
                   m.set(name, "1");
                   m.from_lan(udp("192.0.2.9:1", kServer));
                   CHECK(m.dropped(DropReason::ReversePathFilter) == before + 1);
                   m.set(name, "0");
               }
           }},
    Effect{"ipv4/conf/*/send_redirects",
           [](Machine& m) {
               REQUIRE(
                   m.router->add_route(
                       {*parse_prefix("198.51.100.0/24"), parse_address("10.0.0.9"), m.lan, {}}) ==
                   routing::RouteChange::Done);
               for (const char* name :
                    {"ipv4/conf/all/send_redirects", "ipv4/conf/lan/send_redirects"}) {
                   m.from_lan(udp(kClient, "198.51.100.7:80"));
                   CHECK(m.told(wire::icmp::kRedirect) == 0);
                   m.set(name, "1");
                   m.from_lan(udp(kClient, "198.51.100.7:80"));
                   CHECK(m.told(wire::icmp::kRedirect) == 1);
                   m.set(name, "0");
                   m.now += std::chrono::seconds(60);
               }
           }},
    Effect{"ipv4/conf/*/src_valid_mark",
           [](Machine& m) {
               rules::Ruleset marks;
               rules::parse_save("*mangle\n-A PREROUTING -j MARK --set-mark 1\nCOMMIT\n", "rules",
                                 Family::Ipv4, marks);
               m.router->apply(std::move(marks), m.now);
               routing::PolicyRule no_way_back;
               no_way_back.action = routing::RuleAction::Blackhole;
               no_way_back.mark = 1;
               no_way_back.mark_mask = 1;
               no_way_back.to = *parse_prefix("10.0.0.0/24");
               REQUIRE(m.router->add_policy_rule(no_way_back, std::nullopt) ==
                       routing::RuleChange::Done);
               m.set("ipv4/conf/all/rp_filter", "1");
               for (const char* name :
                    {"ipv4/conf/all/src_valid_mark", "ipv4/conf/lan/src_valid_mark"}) {
                   const std::uint64_t before = m.dropped(DropReason::ReversePathFilter);
                   m.from_lan(udp(kClient, kServer));
                   CHECK(m.dropped(DropReason::ReversePathFilter) == before);
                   m.set(name, "1");
                   m.from_lan(udp(kClient, kServer));
                   CHECK(m.dropped(DropReason::ReversePathFilter) == before + 1);
                   m.set(name, "0");
               }
           }},
};

}  // namespace nsr::test
