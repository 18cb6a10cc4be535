// Which outside port is whose, why it is that one, how many are left; and what becomes of all of it
// when the NAT starts anew or gets another address.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <regex>
#include <string>

#include "core/nat/behaviour.hpp"
#include "tests/support/nat_text.hpp"
#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

// docs/nat-behaviour.md shows the same; check_nat.py compares them.
const std::map<std::string, std::string> kProfileLines = {
    {"full-cone",
     "udp src=10.0.0.2 sport=4000 mapped-src=192.0.2.1 mapped-sport=4000 "
     "mapping=endpoint-independent filtering=endpoint-independent sessions=1 port-kept=yes\n"
     "tcp src=10.0.0.2 sport=4000 mapped-src=192.0.2.1 mapped-sport=4000 "
     "mapping=endpoint-independent filtering=endpoint-independent sessions=1 port-kept=yes\n"},
    {"restricted-cone",
     "udp src=10.0.0.2 sport=4000 mapped-src=192.0.2.1 mapped-sport=4000 "
     "mapping=endpoint-independent filtering=address-dependent sessions=1 port-kept=yes\n"
     "tcp src=10.0.0.2 sport=4000 mapped-src=192.0.2.1 mapped-sport=4000 "
     "mapping=endpoint-independent filtering=address-dependent sessions=1 port-kept=yes\n"},
    {"port-restricted-cone",
     "udp src=10.0.0.2 sport=4000 mapped-src=192.0.2.1 mapped-sport=4000 "
     "mapping=endpoint-independent filtering=address-and-port-dependent sessions=1 port-kept=yes\n"
     "tcp src=10.0.0.2 sport=4000 mapped-src=192.0.2.1 mapped-sport=4000 "
     "mapping=endpoint-independent filtering=address-and-port-dependent sessions=1 "
     "port-kept=yes\n"},
    {"symmetric",
     "udp src=10.0.0.2 sport=4000 dst=198.51.100.7 dport=53 mapped-src=192.0.2.1 "
     "mapped-sport=PORT mapping=address-and-port-dependent filtering=address-and-port-dependent "
     "sessions=1 why-not-kept=random\n"
     "tcp src=10.0.0.2 sport=4000 dst=198.51.100.7 dport=80 mapped-src=192.0.2.1 "
     "mapped-sport=PORT mapping=address-and-port-dependent filtering=address-and-port-dependent "
     "sessions=1 why-not-kept=random\n"},
    {"symmetric-sequential",
     "udp src=10.0.0.2 sport=4000 dst=198.51.100.7 dport=53 mapped-src=192.0.2.1 mapped-sport=1024 "
     "mapping=address-and-port-dependent filtering=address-and-port-dependent sessions=1 "
     "why-not-kept=sequential\n"
     "tcp src=10.0.0.2 sport=4000 dst=198.51.100.7 dport=80 mapped-src=192.0.2.1 mapped-sport=1024 "
     "mapping=address-and-port-dependent filtering=address-and-port-dependent sessions=1 "
     "why-not-kept=sequential\n"},
    {"cgnat",
     "udp src=10.0.0.2 sport=4000 mapped-src=192.0.2.1 mapped-sport=PORT "
     "mapping=endpoint-independent filtering=endpoint-independent sessions=1 why-not-kept=block\n"
     "tcp src=10.0.0.2 sport=4000 mapped-src=192.0.2.1 mapped-sport=PORT "
     "mapping=endpoint-independent filtering=endpoint-independent sessions=1 why-not-kept=block\n"},
    {"udp-blocked",
     "tcp src=10.0.0.2 sport=4000 dst=198.51.100.7 dport=80 mapped-src=192.0.2.1 mapped-sport=4000 "
     "mapping=address-and-port-dependent filtering=address-and-port-dependent sessions=1 "
     "port-kept=yes\n"},
    {"home-router",
     "udp src=10.0.0.2 sport=4000 mapped-src=192.0.2.1 mapped-sport=4000 "
     "mapping=endpoint-independent filtering=address-and-port-dependent sessions=1 port-kept=yes\n"
     "tcp src=10.0.0.2 sport=4000 mapped-src=192.0.2.1 mapped-sport=4000 "
     "mapping=endpoint-independent filtering=address-and-port-dependent sessions=1 "
     "port-kept=yes\n"},
    {"phone-network",
     "udp src=10.0.0.2 sport=4000 dst=198.51.100.7 dport=53 mapped-src=192.0.2.1 mapped-sport=PORT "
     "mapping=address-and-port-dependent filtering=address-and-port-dependent sessions=1 "
     "why-not-kept=block\n"
     "tcp src=10.0.0.2 sport=4000 dst=198.51.100.7 dport=80 mapped-src=192.0.2.1 mapped-sport=PORT "
     "mapping=address-and-port-dependent filtering=address-and-port-dependent sessions=1 "
     "why-not-kept=block\n"},
    {"hotel",
     "udp src=10.0.0.2 sport=4000 dst=198.51.100.7 mapped-src=192.0.2.1 mapped-sport=PORT "
     "mapping=address-dependent filtering=address-and-port-dependent sessions=1 "
     "why-not-kept=random\n"
     "tcp src=10.0.0.2 sport=4000 dst=198.51.100.7 mapped-src=192.0.2.1 mapped-sport=PORT "
     "mapping=address-dependent filtering=address-and-port-dependent sessions=1 "
     "why-not-kept=random\n"},
};

// Which port was drawn is the random source's business.
std::string without_drawn_ports(const std::string& text) {
    static const std::regex drawn("mapped-sport=[0-9]+( .* why-not-kept=(random|block))");
    return std::regex_replace(text, drawn, "mapped-sport=PORT$1");
}

World with(const std::string& nat) {
    return given("*nat\n" + nat + "\nCOMMIT\n");
}

void sends(World& w, const std::string& inside, const std::string& server = "198.51.100.7:53") {
    w.when("lan", udp(inside, server)).forget();
}

bool has(const std::string& text, const std::string& part) {
    CAPTURE(text);
    CAPTURE(part);
    const bool found = text.find(part) != std::string::npos;
    CHECK(found);
    return found;
}

IfIndex wan(World& w) {
    return w.router().interfaces().find("wan")->index;
}

}  // namespace

TEST_CASE("nat mappings: each connection that Linux's NAT translates is shown") {
    World w = with(
        "-A PREROUTING -i wan -p tcp --dport 8080 -j DNAT --to-destination 10.0.0.9:80\n"
        "-A POSTROUTING -o wan -j MASQUERADE");
    sends(w, "10.0.0.2:4000");
    w.when("lan", ping("10.0.0.2", "198.51.100.7", 7)).forget();
    w.when("wan", tcp("203.0.113.9:7000", "192.0.2.1:8080").syn()).forget();
    CHECK(mappings_of(w) ==
          "udp src=10.0.0.2 sport=4000 dst=198.51.100.7 dport=53 mapped-src=192.0.2.1 "
          "mapped-sport=4000 mapping=linux sessions=1 port-kept=yes\n"
          "icmp src=10.0.0.2 id=7 dst=198.51.100.7 mapped-src=192.0.2.1 mapped-id=7 "
          "mapping=linux sessions=1 port-kept=yes\n"
          "tcp src=203.0.113.9 sport=7000 dst=192.0.2.1 dport=8080 mapped-dst=10.0.0.9 "
          "mapped-dport=80 mapping=linux sessions=1\n");
}

TEST_CASE("nat mappings: what nobody translated is not shown, and what has ended neither") {
    World w = with("-A POSTROUTING -o wan -p udp -j MASQUERADE");
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").syn()).forget();
    CHECK(mappings_of(w).empty());
    sends(w, "10.0.0.2:4000");
    CHECK_FALSE(mappings_of(w).empty());
    w.after(31s);
    CHECK(mappings_of(w).empty());
}

TEST_CASE("nat mappings: who took the port of another one is named") {
    for (const std::string options : {"", " --mapping endpoint-independent"}) {
        CAPTURE(options);
        World w = with("-A POSTROUTING -o wan -j MASQUERADE" + options);
        sends(w, "10.0.0.2:4000");
        sends(w, "10.0.0.3:4000");
        has(mappings_of(w), "why-not-kept=taken-by(10.0.0.2:4000)\n");
        w.after(20s);
        sends(w, "10.0.0.3:4000");
        w.after(20s);
        has(mappings_of(w), "why-not-kept=taken\n");
    }
}

TEST_CASE("nat mappings: why a port is another one") {
    struct Case {
        std::string options;
        std::string why;
    };
    for (const Case& c : {
             Case{"--random", "random"},
             Case{"--to-ports 5000-5999", "range"},
             Case{"--port-allocation random", "random"},
             Case{"--port-allocation sequential", "sequential"},
             Case{"--port-block 512", "block"},
             Case{"--port-allocation deterministic --inside 10.0.0.0/24", "block"},
         }) {
        CAPTURE(c.options);
        World w = with("-A POSTROUTING -o wan -p udp -j MASQUERADE " + c.options);
        sends(w, "10.0.0.2:4000");
        has(mappings_of(w), "why-not-kept=" + c.why + "\n");
    }
}

TEST_CASE("nat mappings: a second connection of a source looks like its first") {
    World w = with("-A POSTROUTING -o wan -j MASQUERADE");
    sends(w, "10.0.0.2:4000");
    sends(w, "10.0.0.3:4000");
    sends(w, "10.0.0.3:4000", "203.0.113.9:53");
    has(mappings_of(w), "dst=203.0.113.9");
    has(mappings_of(w), "why-not-kept=like-another\n");
}

TEST_CASE("nat mappings: a port behind its neighbour, one of a rule that is gone") {
    World w = with(
        "-A POSTROUTING -o wan -j MASQUERADE --mapping endpoint-independent "
        "--port-allocation contiguous");
    sends(w, "10.0.0.9:6000");
    sends(w, "10.0.0.2:6000");
    sends(w, "10.0.0.2:6001");
    has(mappings_of(w), "src=10.0.0.2 sport=6001");
    has(mappings_of(w), "why-not-kept=neighbour\n");
    World other = with("-A POSTROUTING -o wan -j MASQUERADE --random");
    sends(other, "10.0.0.2:4000");
    other.router().apply({}, other.now());
    has(mappings_of(other), "why-not-kept=unknown\n");
}

TEST_CASE("nat ports: used and free ones of each address and protocol") {
    World w = with(
        "-A POSTROUTING -o wan -p tcp -j MASQUERADE --to-ports 5000-5099\n"
        "-A POSTROUTING -o wan -j MASQUERADE --profile full-cone");
    CHECK(ports_of(w).empty());
    sends(w, "10.0.0.2:4000");
    sends(w, "10.0.0.2:4000", "203.0.113.9:53");
    sends(w, "10.0.0.2:4001");
    sends(w, "10.0.0.2:53");
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").syn()).forget();
    w.when("lan", ping("10.0.0.2", "198.51.100.7", 7)).forget();
    CHECK(ports_of(w) ==
          "icmp mapped-src=192.0.2.1 ids=0-65535 used=1 free=65535\n"
          "tcp mapped-src=192.0.2.1 ports=5000-5099 used=1 free=99\n"
          "udp mapped-src=192.0.2.1 ports=1024-65535 used=2 free=64510 beside=1\n");
}

TEST_CASE("nat ports: each range of an address by itself, and beside them what is in none") {
    World w = with(
        "-A POSTROUTING -o wan -s 10.0.0.2 -p udp -j SNAT --to-source 192.0.2.1:5000-5099\n"
        "-A POSTROUTING -o wan -s 10.0.0.3 -p udp -j SNAT --to-source 192.0.2.1:7000-7009\n"
        "-A POSTROUTING -o wan -s 10.0.0.4 -p udp -j SNAT --to-source 192.0.2.1:5050-5149\n"
        "-A POSTROUTING -o wan -j SNAT --to-source 192.0.2.1\n");
    sends(w, "10.0.0.2:5010");
    sends(w, "10.0.0.2:5060");
    sends(w, "10.0.0.3:7000");
    sends(w, "10.0.0.4:5149");
    sends(w, "10.0.0.5:53");
    CHECK(ports_of(w) ==
          "udp mapped-src=192.0.2.1 ports=1024-65535 used=4 free=64508 beside=1\n"
          "udp mapped-src=192.0.2.1 ports=5000-5099 used=2 free=98\n"
          "udp mapped-src=192.0.2.1 ports=5050-5149 used=2 free=98\n"
          "udp mapped-src=192.0.2.1 ports=7000-7009 used=1 free=9\n");
}

TEST_CASE("nat mappings: thousands are read in pieces, each of them once") {
    World w = with(
        "-A POSTROUTING -o wan -p udp -j MASQUERADE --profile full-cone\n"
        "-A POSTROUTING -o wan -j MASQUERADE");
    for (int port = 1024; port < 6024; ++port) {
        const std::string inside = "10.0.0.2:" + std::to_string(port);
        sends(w, inside);
        w.when("lan", tcp(inside, "198.51.100.7:80").syn()).forget();
    }
    procfs::Tree tree(procfs::Context{w.router()});
    for (const std::string path : {"/proc/nsrouter/nat_mappings", "/proc/nsrouter/nat_ports"}) {
        auto cursor = tree.open(path);
        REQUIRE(cursor.ok());
        std::string text;
        std::size_t pieces = 1;
        std::size_t longest = 0;
        for (std::size_t before = 0; (*cursor)->read(text, 4096, w.now()); before = text.size()) {
            longest = std::max(longest, text.size() - before);
            ++pieces;
        }
        CHECK(pieces >= 5);
        CHECK(longest < 8192);
        const auto lines = std::count(text.begin(), text.end(), '\n');
        CHECK(lines == (path.ends_with("mappings") ? 10000 : 2));
    }
}

TEST_CASE("nat reboot: nobody comes in any more, and who goes out is mapped anew") {
    World w = with(
        "-A POSTROUTING -o wan -j MASQUERADE --profile symmetric-sequential "
        "--filtering endpoint-independent");
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53"));
    w.expect("wan", udp("192.0.2.1:1024", "198.51.100.7:53").ttl(63));
    w.router().forget_translations(std::nullopt, w.now());
    w.expect_no_entry();
    CHECK(mappings_of(w).empty());
    w.when("wan", udp("198.51.100.7:53", "192.0.2.1:1024")).expect_icmp("wan", 3, 3);
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53"));
    w.expect("wan", udp("192.0.2.1:1025", "198.51.100.7:53").ttl(63));
    w.when("wan", udp("203.0.113.9:1", "192.0.2.1:1025"));
    w.expect("lan", udp("203.0.113.9:1", "10.0.0.2:4000").ttl(63));
}

TEST_CASE("nat reboot: of Linux's NAT, and of one rule alone") {
    World w = with(
        "-A POSTROUTING -o wan -p tcp -j MASQUERADE\n"
        "-A POSTROUTING -o wan -j MASQUERADE --profile full-cone\n"
        "-A PREROUTING -i wan -p tcp --dport 8080 -j DNAT --to-destination 10.0.0.9:80");
    sends(w, "10.0.0.2:4000");
    w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").syn()).forget();
    w.when("wan", tcp("203.0.113.9:7000", "192.0.2.1:8080").syn()).forget();
    w.when("lan", udp("10.0.0.2:4000", "10.0.0.1:53")).forget();
    w.expect_entries(4);
    const auto& rules =
        w.router().ruleset().table(Family::Ipv4, rules::TableId::Nat).find("POSTROUTING")->rules;
    w.router().forget_translations(rules[0].id, w.now());
    w.expect_entries(3);
    has(mappings_of(w), "udp src=10.0.0.2");
    w.router().forget_translations(rules[1].id, w.now());
    w.expect_entries(2);
    w.router().forget_translations(std::nullopt, w.now());
    w.expect_entries(1);  // that with the router itself, which nobody translated
}

TEST_CASE("nat reboot: packets between the pieces of a large table meet no old mapping") {
    World w = with("-A POSTROUTING -o wan -j MASQUERADE --profile full-cone");
    for (int port = 1024; port < 4024; ++port) {
        sends(w, "10.0.0.2:" + std::to_string(port));
    }
    w.router().forget_translations(std::nullopt, w.now());
    w.when("wan", udp("203.0.113.9:1", "192.0.2.1:4023")).expect_icmp("wan", 3, 3);
    sends(w, "10.0.0.3:2000", "203.0.113.9:53");
    EgressQueue none;
    while (!w.router().expire(w.now(), none)) {
    }
    w.when("wan", udp("203.0.113.9:1", "192.0.2.1:2000"));
    w.expect("lan", udp("203.0.113.9:1", "10.0.0.3:2000").ttl(63));
    CHECK(mappings_of(w).find("src=10.0.0.2") == std::string::npos);
}

TEST_CASE("nat readdress: with the address its mappings go, whoever began their connections") {
    World w = with("-A POSTROUTING -o wan -j MASQUERADE --profile full-cone");
    sends(w, "10.0.0.2:4000");
    w.when("wan", udp("203.0.113.9:7000", "192.0.2.1:4000")).forget();
    w.when("lan", udp("10.0.0.3:5000", "192.0.2.1:4000")).forget();
    w.expect_entries(3);
    REQUIRE(w.router().remove_address(wan(w), *parse_prefix("192.0.2.1/24"), w.now()));
    REQUIRE(w.router().add_address(wan(w), *parse_prefix("192.0.2.9/24")));
    const routing::Route way{.to = *parse_prefix("0.0.0.0/0"), .via = parse_address("192.0.2.254")};
    REQUIRE(w.router().add_route(way) == routing::RouteChange::Done);
    w.expect_no_entry();
    CHECK(mappings_of(w).empty());
    w.when("lan", udp("10.0.0.2:4000", "198.51.100.7:53"));
    w.expect("wan", udp("192.0.2.9:4000", "198.51.100.7:53").ttl(63));
    w.when("wan", udp("203.0.113.9:7000", "192.0.2.9:4000"));
    w.expect("lan", udp("203.0.113.9:7000", "10.0.0.2:4000").ttl(63));
}

TEST_CASE("nat deterministic: a host's ports follow from its address") {
    World w = with(
        "-A POSTROUTING -o wan -j SNAT --to-source 192.0.2.16-192.0.2.19 "
        "--mapping endpoint-independent --port-allocation deterministic "
        "--inside 10.0.0.0/24 --port-block 1000");
    sends(w, "10.0.0.5:4000");
    sends(w, "10.0.0.70:4000");
    sends(w, "10.0.0.5:6500");
    const std::string seen = mappings_of(w);
    // 64 blocks for each address: 5 is the sixth of the first, 70 the seventh of the second.
    has(seen, "src=10.0.0.5 sport=6500 mapped-src=192.0.2.16 mapped-sport=6500 ");
    for (const auto& [id, mapping] : w.router().nat().mappings().all()) {
        const bool first = mapping.inside.source.address == IpAddress::v4(10, 0, 0, 5);
        const unsigned begin = 1024u + (first ? 5u : 6u) * 1000u;
        CHECK(mapping.outside.address == IpAddress::v4(192, 0, 2, first ? 16 : 17));
        CHECK(mapping.outside.port >= begin);
        CHECK(mapping.outside.port < begin + 1000);
    }
    w.when("lan", udp("10.0.1.5:4000", "198.51.100.7:53")).expect_drop(DropReason::NatRefused);
}

TEST_CASE("nat mappings: whatever happens, nothing is left of what has ended") {
    for (const nat::Profile& profile : nat::profiles()) {
        CAPTURE(profile.name);
        World w = with("-A POSTROUTING -o wan -j MASQUERADE --refresh outbound --profile " +
                       std::string(profile.name));
        RandomSource random{7};
        const auto port = [&] { return std::to_string(2000 + random.below(8)); };
        for (int step = 0; step < 2000; ++step) {
            const std::string host = "10.0.0." + std::to_string(2 + random.below(4)) + ":" + port();
            const std::string mapped = "192.0.2.1:" + std::to_string(1024 + random.below(2048));
            switch (random.below(8)) {
                case 0:
                    w.when("wan", udp("203.0.113.9:" + port(), mapped));
                    break;
                case 1:
                    w.when("lan", udp(host, "192.0.2.1:" + port()));
                    break;
                case 2:
                    w.when("lan", tcp(host, "198.51.100.7:80").syn().seq(1));
                    break;
                case 3:
                    w.after(std::chrono::seconds(random.below(20)));
                    break;
                case 4:
                    if (random.below(20) == 0) {
                        w.router().forget_translations(std::nullopt, w.now());
                    }
                    break;
                default:
                    w.when("lan",
                           udp(host, "198.51.100." + std::to_string(random.below(4)) + ":53"));
            }
            w.forget();
        }
        w.after(10min);
        w.expect_no_entry();
        CHECK(w.router().nat().mappings().empty());
        for (int host = 2; host < 6; ++host) {
            const auto address = IpAddress::v4(10, 0, 0, static_cast<std::uint8_t>(host));
            CHECK(w.router().nat().mappings().sessions_of({address}).begun_inside == 0);
            CHECK(w.router().nat().mappings().sessions_of({address}).begun_outside == 0);
        }
    }
}

TEST_CASE("nat mappings: what each profile shows") {
    CHECK(kProfileLines.size() == nat::profiles().size());
    for (const nat::Profile& profile : nat::profiles()) {
        CAPTURE(profile.name);
        World w =
            with("-A POSTROUTING -o wan -j MASQUERADE --profile " + std::string(profile.name));
        sends(w, "10.0.0.2:4000");
        w.when("lan", tcp("10.0.0.2:4000", "198.51.100.7:80").syn()).forget();
        CHECK(without_drawn_ports(mappings_of(w)) == kProfileLines.at(std::string(profile.name)));
    }
}
