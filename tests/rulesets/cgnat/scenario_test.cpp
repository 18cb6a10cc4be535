// A carrier's NAT: blocks of ports, limits, addresses of one's own.
#include <doctest/doctest.h>

#include <string>

#include "tests/rulesets/running.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

constexpr int kFirstPort = 1024;
constexpr int kBlock = 2016;
constexpr int kCustomersOfAnAddress = 32;

std::string customer(int number, int port) {
    return "100.64.0." + std::to_string(number) + ":" + std::to_string(port);
}

}  // namespace

TEST_CASE("cgnat: each customer has an address and a block of ports, and stays within") {
    World w = running("cgnat");
    for (const int number : {0, 31, 32, 127}) {
        for (int port = 50000; port < 50040; ++port) {
            w.when("eth0", tcp(customer(number, port), "198.51.100.7:443").syn()).forget();
            w.when("eth0", udp(customer(number, port), "198.51.100.7:443").data("?")).forget();
        }
        const int first = kFirstPort + number % kCustomersOfAnAddress * kBlock;
        const std::string address = "203.0.113." + std::to_string(number / kCustomersOfAnAddress);
        int connections = 0;
        for (const std::string& line : w.entries()) {
            if (line.find(" src=100.64.0." + std::to_string(number) + " ") != std::string::npos) {
                const int port = last_number(line, "dport=");
                ++connections;
                CHECK_MESSAGE(line.find(" dst=" + address + " ") != std::string::npos, line);
                CHECK_MESSAGE(port >= first, line);
                CHECK_MESSAGE(port < first + kBlock, line);
            }
        }
        CHECK(connections == 80);
    }
}

TEST_CASE("cgnat: the ids of pings are of the block, too, and a port of it is kept") {
    World w = running("cgnat");
    w.when("eth0", ping("100.64.0.33", "198.51.100.7", 7)).forget();
    const int id = last_number(w.entries().front(), "id=");
    CHECK(id >= kFirstPort + kBlock);
    CHECK(id < kFirstPort + 2 * kBlock);
    w.when("eth0", tcp(customer(33, 3333), "198.51.100.7:443").syn().seq(1));
    w.expect("eth1", onward(tcp("203.0.113.1:3333", "198.51.100.7:443").syn().seq(1)));
}

TEST_CASE("cgnat: the connection beyond a customer's limit is reset, his neighbour's is not") {
    World w = running("cgnat");
    for (int i = 0; i < 800; ++i) {
        w.when("eth0", tcp(customer(5, 10000 + i), "198.51.100.7:443").syn()).forget();
    }
    w.expect_entries(800);
    w.when("eth0", tcp(customer(5, 9999), "198.51.100.7:443").syn().seq(1));
    w.expect("eth0",
             tcp("198.51.100.7:443", customer(5, 9999)).rst().ack(2).win(0).id(0).dont_fragment());
    w.expect_drop(DropReason::RuleReject);
    w.when("eth0", tcp(customer(6, 9999), "198.51.100.7:443").syn()).forget();
    w.expect_entries(801);
}

TEST_CASE("cgnat: no mail, no customer to another, no foreign source") {
    World w = running("cgnat");
    w.when("eth0", tcp(customer(5, 1), "198.51.100.7:25").syn());
    w.expect_icmp("eth0", 3, 13).expect_drop(DropReason::RuleReject);
    w.when("eth0", tcp(customer(5, 1), customer(6, 80)).syn());
    w.expect_icmp("eth0", 3, 9).expect_drop(DropReason::RuleReject);
    w.when("eth0", tcp("10.9.9.9:1", "198.51.100.7:443").syn()).expect_drop(DropReason::RuleDrop);
    w.expect_no_entry();
}

TEST_CASE("cgnat: an address of one's own goes both ways, and so does a camera's port") {
    World w = running("cgnat");
    w.when("eth0", tcp("100.64.1.130:4000", "198.51.100.7:443").syn().seq(1));
    w.expect("eth1", onward(tcp("203.0.113.130:4000", "198.51.100.7:443").syn().seq(1)));
    w.when("eth1", tcp("198.51.100.9:5000", "203.0.113.131:22").syn().seq(1));
    w.expect("eth0", onward(tcp("198.51.100.9:5000", "100.64.1.131:22").syn().seq(1)));
    w.when("eth1", tcp("198.51.100.9:5000", "203.0.113.0:1030").syn().seq(1));
    w.expect("eth0", onward(tcp("198.51.100.9:5000", "100.64.0.7:554").syn().seq(1)));
}

TEST_CASE("cgnat: questions to the carrier's resolver cost no entry") {
    World w = running("cgnat");
    const auto question = udp(customer(5, 5000), "192.0.2.53:53").data("?");
    w.when("eth0", question).expect("eth1", onward(question));
    const auto answer = udp("192.0.2.53:53", customer(5, 5000)).data("!");
    w.when("eth1", answer).expect("eth0", onward(answer));
    w.expect_no_entry();
}
