// GET and POST /nat.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "core/rules/language/parse.hpp"
#include "tests/support/packet_builder.hpp"
#include "tests/unit/router/control/port_fixture.hpp"

namespace nsr::router {
namespace {

// Two hosts that want the same port, behind a rule of table nat.
class NatPort : public PortFixture {
  public:
    NatPort() {
        const IfIndex lan = add("lan", "10.0.0.1/24", "fd00:1::1/64");
        add("wan", "192.0.2.1/24", "2001:db8::1/64");
        load(
            "*nat\n-A POSTROUTING -o wan -p tcp -j MASQUERADE\n"
            "-A POSTROUTING -o wan -j MASQUERADE --profile full-cone\nCOMMIT\n",
            Family::Ipv4);
        load("*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n", Family::Ipv6);
        router().apply(std::move(rules_), now_);
        for (const auto& packet : {test::udp("10.0.0.2:4000", "192.0.2.7:53"),
                                   test::udp("10.0.0.3:4000", "192.0.2.7:53"),
                                   test::tcp("10.0.0.2:4000", "192.0.2.7:80").syn(),
                                   test::udp("[fd00:1::2]:4000", "[2001:db8::7]:53")}) {
            std::vector<Packet> batch;
            batch.push_back(packet.packet(pool_));
            batch[0].meta.in = lan;
            EgressQueue out;
            router().receive(batch, now_, out);
        }
    }

    std::string get(const std::string& query, unsigned status = 200) {
        const http::Response response = ask_query("GET", query);
        CHECK(response.status == status);
        return response.body;
    }
    http::Response ask_query(const std::string& method, const std::string& query) {
        return ask(method, "/nat", {.query = parse(query)});
    }

  private:
    static std::map<std::string, std::string> parse(const std::string& query) {
        std::map<std::string, std::string> values;
        for (std::size_t at = 0; at < query.size();) {
            const std::size_t end = std::min(query.find('&', at), query.size());
            const std::size_t equals = query.find('=', at);
            values[query.substr(at, equals - at)] = query.substr(equals + 1, end - equals - 1);
            at = end + 1;
        }
        return values;
    }
    IfIndex add(const char* name, const char* v4, const char* v6) {
        routing::Interface interface;
        interface.name = name;
        interface.addresses = {*parse_prefix(v4), *parse_prefix(v6)};
        return router().add_interface(interface);
    }
    void load(const std::string& text, Family family) {
        REQUIRE(rules::parse_save(text, "rules", family, rules_).empty());
    }

    BufferPool pool_;
    rules::Ruleset rules_;
    Instant now_ = SystemClock().now();
};

std::size_t lines(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE_FIXTURE(NatPort, "GET /nat: the lines of an endpoint, inside or outside") {
    CHECK(lines(get("")) == 4);
    CHECK(get("proto=udp&endpoint=10.0.0.2:4000") ==
          "udp src=10.0.0.2 sport=4000 mapped-src=192.0.2.1 mapped-sport=4000 "
          "mapping=endpoint-independent filtering=endpoint-independent sessions=1 "
          "port-kept=yes\n");
    CHECK(get("proto=udp&endpoint=10.0.0.3").find("taken-by(10.0.0.2:4000)") != std::string::npos);
    for (const std::string udp : {"UDP", "17"}) {
        CHECK(get("proto=" + udp + "&endpoint=10.0.0.2:4000") ==
              get("proto=udp&endpoint=10.0.0.2:4000"));
    }
    CHECK(get("proto=47", 400).starts_with("\"47\" is none of"));
    CHECK(lines(get("endpoint=192.0.2.1:4000")) == 2);
    CHECK(lines(get("endpoint=[fd00:1::2]:4000")) == 1);
    CHECK(lines(get("endpoint=fd00:1::2")) == 1);
    CHECK(get("endpoint=10.0.0.99").empty());
}

TEST_CASE_FIXTURE(NatPort, "GET /nat: what is no endpoint is said to be none") {
    CHECK(get("proto=gre", 400) == "\"gre\" is none of tcp, udp, udplite, sctp, icmp, icmpv6\n");
    for (const std::string wrong : {"x", ":4000", "10.0.0.2:", "10.0.0.2:70000", "[fd00::2", "["}) {
        CAPTURE(wrong);
        CHECK(get("endpoint=" + wrong, 400).find("10.0.0.2:4000") != std::string::npos);
    }
    CHECK(get("endpoint=", 400).starts_with("\"\" is no endpoint"));
    CHECK(get("proto=", 400).starts_with("\"\" is none of"));
    CHECK(ask_query("GET", "port=1").status == 400);
}

TEST_CASE_FIXTURE(NatPort, "POST /nat: a reboot, of one rule or of all") {
    CHECK(ask_query("POST", "").status == 400);
    CHECK(ask_query("POST", "action=reboot&rule=3").body ==
          "\"3\" is no rule of POSTROUTING, which has 2\n");
    CHECK(ask_query("POST", "action=reboot&rule=0").status == 400);
    CHECK(ask_query("POST", "action=reboot&rule=1&chain=NONE").status == 404);
    CHECK(ask_query("POST", "action=reboot&rule=1&family=ipv5").status == 400);
    CHECK(ask_query("POST", "action=reboot&rule=").status == 400);
    CHECK(ask_query("POST", "action=reboot&rule=1&chain=").status == 404);
    CHECK(ask_query("POST", "action=reboot&family=ipv6").body ==
          "family needs rule: without it all translations go\n");
    CHECK(ask_query("POST", "action=reboot&chain=NONE").status == 400);
    CHECK(lines(get("")) == 4);
    CHECK(ask_query("POST", "action=reboot&rule=1").status == 200);
    CHECK(get("proto=tcp").empty());
    CHECK(lines(get("")) == 3);
    CHECK(ask_query("POST", "action=reboot&rule=1&family=ipv6").status == 200);
    CHECK(lines(get("")) == 2);
    CHECK(ask_query("POST", "action=reboot").status == 200);
    CHECK(get("").empty());
}

}  // namespace nsr::router
