// A node of a Kubernetes cluster: services, node ports, affinity.
#include <doctest/doctest.h>

#include <map>
#include <string>

#include "tests/rulesets/running.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kPod = "10.244.1.50";

PacketBuilder to(const char* service, int client_port, const char* client = kPod) {
    return tcp(std::string(client) + ":" + std::to_string(client_port), service).syn().seq(1);
}

// How many connections of the table each address answers.
std::map<std::string, int> by_endpoint(const World& w) {
    std::map<std::string, int> endpoints;
    for (const std::string& line : w.entries()) {
        const std::size_t at = line.rfind("src=") + 4;
        ++endpoints[line.substr(at, line.find(' ', at) - at)];
    }
    return endpoints;
}

}  // namespace

TEST_CASE(
    "kube-proxy: connections to a cluster IP spread over its endpoints, untranslated sources") {
    World w = running("kube-proxy");
    for (int i = 0; i < 300; ++i) {
        w.when("cni0", to("10.96.114.20:80", 30000 + i)).forget();
    }
    const auto endpoints = by_endpoint(w);
    CHECK(endpoints.size() == 3);
    for (const std::string endpoint : {"10.244.1.8", "10.244.2.5", "10.244.2.9"}) {
        const int connections = endpoints.contains(endpoint) ? endpoints.at(endpoint) : 0;
        CHECK_MESSAGE(connections > 70, endpoint);
        CHECK_MESSAGE(connections < 130, endpoint);
    }
    w.expect_entry("src=10.244.2.5 dst=10.244.1.50 sport=8080");
}

TEST_CASE("kube-proxy: a session stays at its endpoint for three hours") {
    World w = running("kube-proxy");
    for (int i = 0; i < 40; ++i) {
        w.when("cni0", to("10.96.201.7:6379", 30000 + i)).forget();
        w.after(10min);
    }
    for (int i = 0; i < 40; ++i) {
        w.when("cni0", to("10.96.201.7:6379", 30000 + i, "10.244.1.51")).forget();
    }
    CHECK(by_endpoint(w).size() == 1);
    w.after(10801s);
    int places = 0;
    for (int i = 0; i < 20; ++i) {
        const std::string client = "10.244.1." + std::to_string(60 + i);
        w.when("cni0", to("10.96.201.7:6379", 30000, client.c_str())).forget();
        places = static_cast<int>(by_endpoint(w).size());
    }
    CHECK(places == 2);
}

TEST_CASE("kube-proxy: a node port is marked, translated and masqueraded on its way") {
    World w = running("kube-proxy");
    for (int i = 0; i < 30; ++i) {
        w.when("eth0", to("192.0.2.21:30080", 5000 + i, "198.51.100.9")).forget();
    }
    w.expect_entry("src=10.244.1.8 dst=10.244.1.1 sport=8080");
    w.expect_entry("src=10.244.2.9 dst=10.245.1.1 sport=8080");
    for (const std::string& line : w.entries()) {
        CHECK_MESSAGE(line.find("dst=198.51.100.9 sport=8080") == std::string::npos, line);
    }
    w.expect_rule_packets("-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000", 30);
}

TEST_CASE("kube-proxy: with the local policy the client's address is kept, and local pods serve") {
    World w = running("kube-proxy");
    w.when("eth0", to("192.0.2.21:31443", 5000, "198.51.100.9"));
    w.expect("cni0", onward(to("10.244.1.20:8443", 5000, "198.51.100.9")));
    w.when("eth0", to("203.0.113.80:443", 5001, "198.51.100.9"));
    w.expect("cni0", onward(to("10.244.1.20:8443", 5001, "198.51.100.9")));
}

TEST_CASE("kube-proxy: a service without endpoints is rejected, inside and at its node port") {
    World w = running("kube-proxy");
    w.when("cni0", to("10.96.55.55:80", 30000));
    w.expect_icmp("cni0", 3, 3).expect_drop(DropReason::RuleReject);
    w.when("eth0", to("192.0.2.21:30555", 5000, "198.51.100.9"));
    w.expect_icmp("eth0", 3, 3).expect_drop(DropReason::RuleReject);
    w.expect_no_entry();
}

TEST_CASE("kube-proxy: a pod that reaches itself through its service sees the node as client") {
    World w = running("kube-proxy");
    for (int i = 0; i < 30; ++i) {
        const std::string from = "10.244.1.2:" + std::to_string(20000 + i);
        w.when("cni0", udp(from, "10.96.0.10:53").data("?")).forget();
    }
    w.expect_entry("src=10.244.1.2 dst=10.244.1.1 sport=53");
    w.expect_entry("src=10.244.2.3 dst=10.244.1.2 sport=53");
}

TEST_CASE("kube-proxy: pods go to the internet as the node, to other pods as themselves") {
    World w = running("kube-proxy");
    w.when("cni0", udp("10.244.1.50:4000", "198.51.100.7:123").data("?")).forget();
    w.expect_entry("src=198.51.100.7 dst=192.0.2.21 sport=123");
    w.when("cni0", to("10.244.2.9:8080", 30000));
    w.expect("flannel.1", onward(to("10.244.2.9:8080", 30000)));
}
