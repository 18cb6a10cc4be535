// What the recorder kept, as people and programs read it.
#include "router/observe/why.hpp"

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <string>

#include "tests/support/bench.hpp"

namespace nsr::router {
namespace {

using namespace nsr::test;
namespace json = boost::json;

struct Gone {
    Gone() {
        bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
        bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.7:80").syn().win(500));
        bench.from_wan(tcp("192.0.2.7:80", "10.0.0.2:4000").syn().seq(1000).ack(1).win(500));
        bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.7:80").seq(1).ack(1001).payload(5));
        bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.7:80").seq(900000).ack(1001).payload(10));
        bench.from_lan(udp("10.0.0.3:4000", "198.51.100.7:53"));
    }

    std::string told(const std::string& filter = {}, bool as_json = false, std::size_t last = 0) {
        Why::Wish wish;
        auto parsed = Filter::parse(filter);
        REQUIRE(parsed.ok());
        wish.filter = *parsed;
        wish.json = as_json;
        wish.last = last;
        Why why(*bench.router, std::move(wish), bench.now + std::chrono::seconds(2));
        std::string text;
        while (why.advance(text, 1)) {
        }
        return text;
    }

    Bench bench{
        "*filter\n:FORWARD DROP [0:0]\n"
        "-A FORWARD -m conntrack --ctstate INVALID -j DROP\n"
        "-A FORWARD -p tcp -j ACCEPT\nCOMMIT\n"};
};

std::size_t lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE("why: each packet with its place, its rule and what would have helped") {
    Gone gone;
    const std::string text = gone.told();
    CAPTURE(text);
    for (const char* part : {
             "#1 at 1000.000000 (2.000000 s ago): dropped, policy_drop (no rule decided",
             "    packet: IPv4 10.0.0.2 > 192.0.2.7 ttl=63",
             "    way: in lan out wan, at FORWARD filter\n",
             "    refused by: the policy of FORWARD in filter\n",
             "    state: NEW\n",
             "    what lets it through: a rule in FORWARD that accepts NEW packets from lan to "
             "wan, or the policy ACCEPT\n",
             "#2 at 1000.000000 (2.000000 s ago): dropped, rule_drop",
             "    refused by: given:3:4: -A FORWARD -m conntrack --ctstate INVALID -j DROP\n",
             "    state: INVALID, SEQ is over upper bound ",
             "    window: sender_td_end=6 sender_td_maxend=",
             "    what lets it through: net.netfilter.nf_conntrack_tcp_be_liberal=1; else ",
             "#3 at 1000.000000 (2.000000 s ago): dropped, no_route",
             "    what lets it through: a route to its destination",
         }) {
        CAPTURE(part);
        CHECK(text.find(part) != std::string::npos);
    }
}

TEST_CASE("why: as an object a line, with the numbers of the window") {
    Gone gone;
    const std::string text = gone.told("state:INVALID", true);
    REQUIRE(lines(text) == 1);
    const json::value record = json::parse(text);
    CHECK(record.at("id") == 2);
    CHECK(record.at("reason") == "rule_drop");
    CHECK(record.at("from") == "given:3:4");
    CHECK(record.at("chain") == "FORWARD");
    CHECK(record.at("window").at("sender_td_end") == 6);
    CHECK(record.at("window").at("receiver_td_end") == 1001);
}

TEST_CASE("why: filters, and the last so many that fit") {
    Gone gone;
    CHECK(lines(gone.told("", true)) == 3);
    CHECK(lines(gone.told("reason:no_route", true)) == 1);
    CHECK(lines(gone.told("rule:given:3", true)) == 1);
    CHECK(lines(gone.told("udp", true)) == 2);
    CHECK(lines(gone.told("udp and host 10.0.0.3 and port 53", true)) == 1);
    const std::string last = gone.told("udp", true, 1);
    CHECK(lines(last) == 1);
    CHECK(json::parse(last).at("id") == 3);
}

TEST_CASE("why: connections whose packets are dropped now, are let through again, or gave way") {
    Gone gone;
    const auto rules = [&](const char* text) {
        rules::Ruleset ruleset;
        REQUIRE(rules::parse_save(text, "given", Family::Ipv4, ruleset).empty());
        gone.bench.router->apply(std::move(ruleset), gone.bench.now);
    };
    const auto packet = [&] {
        gone.bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.7:80").seq(6).ack(1001).payload(5));
    };
    rules("*filter\n-A FORWARD -p tcp -j DROP\nCOMMIT\n");
    packet();
    rules("");
    packet();
    pipeline::Settings settings = gone.bench.router->settings();
    settings.conntrack.max = 2;  // one of them is ASSURED
    gone.bench.router->configure(settings);
    gone.bench.from_lan(udp("10.0.0.2:4001", "192.0.2.7:53"));
    gone.bench.from_lan(udp("10.0.0.2:4002", "192.0.2.7:53"));

    const std::string text = gone.told("change:any");
    CAPTURE(text);
    for (const char* part : {
             "dropped, rule_drop",
             "    change: packets of this connection were let through until now\n",
             ": let through again\n    change: packets of this connection were dropped until now\n",
             ": evicted from the table\n    change: the table was full, and this connection gave "
             "way to a new one;",
             "    what lets it through: a larger net.netfilter.nf_conntrack_max, or shorter "
             "timeouts\n",
         }) {
        CAPTURE(part);
        CHECK(text.find(part) != std::string::npos);
    }
    CHECK(lines(gone.told("change:now_dropped", true)) == 1);
    CHECK(lines(gone.told("change:now_accepted", true)) == 1);
    CHECK(lines(gone.told("!change:any", true)) == 3);
    const std::string evicted = gone.told("verdict:evicted", true);
    const auto row = json::parse(evicted.substr(0, evicted.find('\n'))).as_object();
    CHECK(row.at("change").as_string() == "evicted");
    CHECK(row.at("in").is_null());
}

TEST_CASE("why: a packet is as long as it was, not as what is kept of it") {
    Gone gone;
    gone.bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53").payload(1000));
    const std::string text = gone.told({}, false, 1);
    CAPTURE(text);
    CHECK(text.find(" len=1028 ") != std::string::npos);
}

TEST_CASE("why: what reached the router itself, or found no room, has no state of a connection") {
    Gone gone;
    gone.bench.from_lan(udp("10.0.0.2:4000", "10.0.0.1:53"));
    const std::string text = gone.told({}, false, 1);
    CAPTURE(text);
    CHECK(text.find("local_no_listener") != std::string::npos);
    CHECK(text.find("state: ") == std::string::npos);
    CHECK(lines(gone.told("reason:local_no_listener state:INVALID", true)) == 0);
}

}  // namespace nsr::router
