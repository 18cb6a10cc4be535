// A Docker host: bridges, published ports, a swarm's ingress.
#include <doctest/doctest.h>

#include <string>

#include "tests/rulesets/running.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kCompose = "br-6f1c2a9be033";
constexpr const char* kInternal = "br-93ab04f7d1c5";
constexpr const char* kOutside = "198.51.100.9:5000";

// To UDP port 4789, of network `vni`.
PacketBuilder vxlan(std::uint32_t vni) {
    std::string header = {8, 0, 0, 0, 0, 0, 0, 0};
    for (int i = 0; i < 3; ++i) {
        header[4 + i] = static_cast<char>(vni >> (16 - 8 * i));
    }
    return udp("198.51.100.9:40000", "192.0.2.10:4789").data(header + "a frame");
}

}  // namespace

TEST_CASE("docker: a published port leads to its container, and answers come from the host") {
    World w = running("docker");
    w.when("ens3", tcp(kOutside, "192.0.2.10:8080").syn().seq(1));
    w.expect(kCompose, onward(tcp(kOutside, "172.18.0.2:80").syn().seq(1)));
    w.expect_entry(
        "tcp 6 SYN_SENT src=198.51.100.9 dst=192.0.2.10 sport=5000 dport=8080 [UNREPLIED] "
        "src=172.18.0.2 dst=198.51.100.9 sport=80 dport=5000");
    w.when(kCompose, tcp("172.18.0.2:80", kOutside).syn().seq(7).ack(2));
    w.expect("ens3", onward(tcp("192.0.2.10:8080", kOutside).syn().seq(7).ack(2)));
}

TEST_CASE("docker: a container goes out with the host's address") {
    World w = running("docker");
    w.when("docker0", tcp("172.17.0.5:41000", "198.51.100.7:443").syn().seq(1));
    w.expect("ens3", onward(tcp("192.0.2.10:41000", "198.51.100.7:443").syn().seq(1)));
    w.when("ens3", tcp("198.51.100.7:443", "192.0.2.10:41000").syn().seq(7).ack(2));
    w.expect("docker0", onward(tcp("198.51.100.7:443", "172.17.0.5:41000").syn().seq(7).ack(2)));
    w.expect_rule_packets("-A FORWARD -i docker0 ! -o docker0 -j ACCEPT", 1);
}

TEST_CASE(
    "docker: networks are apart; by a published port they meet in the host, where its proxy "
    "listens") {
    World w = running("docker");
    const auto from_default = [](const char* to) { return tcp("172.17.0.5:41000", to).syn(); };
    w.when("docker0", from_default("172.18.0.2:80")).expect_drop(DropReason::RuleDrop);
    reaches_router(w, "docker0", from_default("192.0.2.10:8080"));
    w.expect_rule_packets("-A DOCKER-ISOLATION-STAGE-2 -o br-6f1c2a9be033 -j DROP", 1);
}

TEST_CASE("docker: an internal network has no way out and none in, but one within") {
    World w = running("docker");
    w.when(kInternal, tcp("172.20.0.2:41000", "198.51.100.7:443").syn());
    w.expect_drop(DropReason::RuleDrop);
    w.when("docker0", tcp("172.17.0.5:41000", "172.20.0.2:80").syn());
    w.expect_drop(DropReason::RuleDrop);
    w.when(kInternal, tcp("172.20.0.2:41000", "172.20.0.3:80").syn().seq(1));
    w.expect(kInternal, onward(tcp("172.20.0.2:41000", "172.20.0.3:80").syn().seq(1)));
}

TEST_CASE("docker: what is not published is not reached; DOCKER-USER is asked first") {
    World w = running("docker");
    w.when("ens3", tcp(kOutside, "172.17.0.5:80").syn()).expect_drop(DropReason::PolicyDrop);
    w.when("ens3", tcp("203.0.113.9:5000", "192.0.2.10:5433").syn());
    w.expect_drop(DropReason::RuleDrop);
    w.when("ens3", tcp(kOutside, "192.0.2.10:5433").syn().seq(1));
    w.expect(kCompose, onward(tcp(kOutside, "172.18.0.3:5432").syn().seq(1)));
}

TEST_CASE("docker: the swarm's ingress has its port, and its bridge keeps services apart") {
    World w = running("docker");
    w.when("ens3", tcp(kOutside, "192.0.2.10:8081").syn().seq(1));
    w.expect("docker_gwbridge", onward(tcp(kOutside, "172.19.0.2:8081").syn().seq(1)));
    w.when("docker_gwbridge", tcp("172.19.0.3:41000", "172.19.0.4:9000").syn());
    w.expect_drop(DropReason::RuleDrop);
}

TEST_CASE("docker: a frame of the encrypted overlay that comes in clear is dropped") {
    World w = running("docker");
    w.when("ens3", vxlan(0x1001)).expect_drop(DropReason::RuleDrop);
    reaches_router(w, "ens3", vxlan(0x1002));
}

TEST_CASE("docker: IPv6 is published and masqueraded likewise") {
    World w = running("docker");
    w.when("ens3", tcp("[2001:db8:9::9]:5000", "[2001:db8:1::10]:8080").syn().seq(1));
    w.expect(kCompose, onward(tcp("[2001:db8:9::9]:5000", "[fd00:6f1c::2]:80").syn().seq(1)));
    w.when(kCompose, tcp("[fd00:6f1c::2]:41000", "[2001:db8:9::7]:443").syn().seq(1));
    w.expect("ens3", onward(tcp("[2001:db8:1::10]:41000", "[2001:db8:9::7]:443").syn().seq(1)));
}
