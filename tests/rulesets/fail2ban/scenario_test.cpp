// A server with fail2ban: bans in chains and in sets.
#include <doctest/doctest.h>

#include <string>

#include "core/sets/sets.hpp"
#include "tests/rulesets/running.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kSsh = "192.0.2.60:22";

PacketBuilder from(const std::string& address, const char* to) {
    return tcp(address + ":5000", to).syn().seq(1);
}

void is_served(World& w, const PacketBuilder& packet, Here here = {}) {
    w.when("eth0", packet, here).expect("host", packet, here);
}

}  // namespace

TEST_CASE(
    "fail2ban: a banned address is told that the port is unreachable; its neighbour is served") {
    World w = running("fail2ban");
    w.when("eth0", from("203.0.113.7", kSsh));
    w.expect_icmp_from("eth0", "192.0.2.60", 3, 3).expect_drop(DropReason::RuleReject);
    is_served(w, from("203.0.113.8", kSsh));
    is_served(w, from("203.0.113.7", "192.0.2.60:443"));
    w.when("eth0", tcp("[2001:db8:bad::7]:5000", "[2001:db8:6::60]:22").syn());
    w.expect_icmp("eth0", 1, 4).expect_drop(DropReason::RuleReject);
}

TEST_CASE("fail2ban: a ban ends by itself") {
    World w = running("fail2ban");
    w.when("eth0", from("198.51.100.99", "192.0.2.60:25")).expect_drop(DropReason::RuleDrop);
    w.after(513s);
    is_served(w, from("198.51.100.99", "192.0.2.60:25"));
    is_served(w, from("203.0.113.7", kSsh));
    w.when("eth0", from("198.51.100.40", kSsh)).expect_icmp("eth0", 3, 3);
    w.expect_drop(DropReason::RuleReject);
}

TEST_CASE("fail2ban: each jail answers in its own way") {
    World w = running("fail2ban");
    w.when("eth0", from("203.0.113.5", kSsh)).expect_icmp("eth0", 3, 10);
    w.expect_drop(DropReason::RuleReject);
    w.when("eth0", from("203.0.113.99", "192.0.2.60:443"));
    w.expect("eth0",
             tcp("192.0.2.60:443", "203.0.113.99:5000").rst().ack(2).win(0).id(0).dont_fragment());
    w.expect_drop(DropReason::RuleReject);
    w.when("eth0", ping("198.51.100.130", "192.0.2.60")).expect_icmp("eth0", 3, 13);
    w.expect_drop(DropReason::RuleReject);
}

TEST_CASE("fail2ban: a new ban counts from the next packet on, and so does its end") {
    World w = running("fail2ban");
    sets::Sets& sets = w.router().sets();
    const sets::SetId banned = *sets.id_of("f2b-sshd");
    const sets::Element who{.ip = *parse_address("203.0.113.44")};
    is_served(w, from("203.0.113.44", kSsh));
    CHECK(sets.add(banned, who, {}, false, w.now()) == sets::Failure::None);
    w.when("eth0", from("203.0.113.44", kSsh)).expect_icmp("eth0", 3, 3);
    w.expect_drop(DropReason::RuleReject);
    CHECK(sets.remove(banned, who, false, w.now()) == sets::Failure::None);
    is_served(w, from("203.0.113.44", kSsh));
}
