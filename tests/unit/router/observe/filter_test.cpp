// Filters: own words and tcpdump expressions, and what is wrong with them where.
#include "router/observe/filter.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/observe/watcher.hpp"
#include "tests/support/bench.hpp"

namespace nsr::router {
namespace {

using namespace nsr::test;

struct Seen {
    Seen() {
        watcher.done = [this](std::span<const observe::Observation> group) {
            seen.insert(seen.end(), group.begin(), group.end());
        };
        bench.router->observe(&watcher);
    }
    Bench bench{
        "*filter\n:FORWARD DROP [0:0]\n:web - [0:0]\n-A FORWARD -p tcp -j web\n"
        "-A web -p tcp --dport 80 -j ACCEPT\nCOMMIT\n"};
    observe::Watcher watcher{*bench.router};
    std::vector<observe::Observation> seen;
};

bool fits(const std::string& text, const observe::Observation& seen) {
    const auto filter = Filter::parse(text);
    CAPTURE(text);
    if (!filter) {
        FAIL_CHECK(to_string(filter.error()));
        return false;
    }
    return filter->fits(subject_of(seen));
}

std::string error_of(const std::string& text) {
    const auto filter = Filter::parse(text);
    return filter ? std::string("none") : to_string(filter.error());
}

bool admits(const std::string& text, const PacketBuilder& packet) {
    const auto filter = Filter::parse(text);
    CAPTURE(text);
    REQUIRE(filter.ok());
    return filter->admits(packet.bytes());
}

}  // namespace

TEST_CASE("filter: words are asked of what became of the packet") {
    Seen seen;
    seen.bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.7:80").syn());
    seen.bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
    REQUIRE(seen.seen.size() == 2);
    const auto& web = seen.seen[0];
    const auto& query = seen.seen[1];
    struct Row {
        const char* filter;
        bool web;
        bool query;
    };
    const Row rows[] = {
        {"", true, true},
        {"state:NEW", true, true},
        {"state:new,invalid", true, true},
        {"!state:NEW", false, false},
        {"in:lan out:wan", true, true},
        {"in:wan", false, false},
        {"hook:forward", true, true},
        {"hook:INPUT", false, false},
        {"table:filter", true, true},
        {"chain:web", true, false},
        {"verdict:left", true, false},
        {"verdict:dropped", false, true},
        {"reason:any", false, true},
        {"change:any", false, false},
        {"verdict:evicted", false, false},
        {"reason:policy_drop,rule_drop", false, true},
        {"rule:given:5", true, false},
        {"rule:given:5:4", true, false},
        {"rule:given:55", false, false},
        {"zone:0 mark:0x0", true, true},
        {"zone:1", false, false},
        {"traced:no", true, true},
        {"connection:4294967", false, false},
    };
    for (const Row& row : rows) {
        CHECK(fits(row.filter, web) == row.web);
        CHECK(fits(row.filter, query) == row.query);
    }
    const auto id = observe::find<observe::TrackedStep>(web)->after->id;
    CHECK(fits("connection:" + std::to_string(raw(id)), web));
}

TEST_CASE("filter: a tcpdump expression is asked of the packet as it came") {
    const PacketBuilder web = tcp("10.0.0.2:4000", "192.0.2.7:80").syn();
    CHECK(admits("tcp port 80", web));
    CHECK(admits("state:NEW in:lan host 10.0.0.2 and dst port http", web));
    CHECK(admits("net 192.0.2.0/24 and tcp[tcpflags] & (tcp-syn|tcp-ack) == tcp-syn", web));
    CHECK(admits("portrange 70-90", web));
    CHECK(admits("ip proto \\tcp", web));
    CHECK(admits("less 100 && ip[8] == 64", web));
    CHECK_FALSE(admits("udp or port 443", web));
    CHECK_FALSE(admits("ip6", web));
    const PacketBuilder six = udp("[fd00::2]:4000", "[2001:db8::7]:53");
    CHECK(admits("ip6 host 2001:db8::7 and udp port domain", six));
    CHECK(admits("net 2001:db8::/32", six));
    CHECK_FALSE(admits("src host 2001:db8::7", six));
}

TEST_CASE("filter: what is wrong is told with its column") {
    CHECK(error_of("state:FOO").find("filter: column 7: state: there is no \"FOO\"") == 0);
    CHECK(error_of("in:lan stat:NEW") ==
          "filter: column 8: there is no word \"stat:\"; did you mean \"state\"?; known: state, "
          "in, out, hook, table, chain, rule, verdict, reason, change, zone, mark, connection, "
          "traced");
    CHECK(error_of("zone:x") == "filter: column 6: zone: \"x\" is no number");
    CHECK(error_of("state:NEW,") == "filter: column 11: state: a value is missing");
    CHECK(error_of("reason:policy_dorp").find("did you mean \"policy_drop\"?") !=
          std::string::npos);
    CHECK(error_of("in:lan host example.com")
              .find("filter: column 13: \"example.com\" is no word of pcap-filter(7), and names "
                    "are not looked up") == 0);
    CHECK(error_of("host 3com").find("names are not looked up") != std::string::npos);
    CHECK(error_of("ip proto gre").find("names are not looked up") != std::string::npos);
    CHECK(error_of("port port").find("filter: column 1: \"port port\": ") == 0);
    CHECK(error_of(std::string(5000, '1')).find("at most 4096") != std::string::npos);
}

}  // namespace nsr::router
