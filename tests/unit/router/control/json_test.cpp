// Answers in JSON are JSON, whatever bytes the names and comments of rules have.
#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <string>

#include "core/rules/language/parse.hpp"
#include "tests/unit/router/control/port_fixture.hpp"

namespace nsr::router {
namespace {

class JsonPort : public PortFixture {
  public:
    JsonPort() {
        rules::Ruleset rules;
        REQUIRE(rules::parse_save("*filter\n:a\xff - [0:0]\n"
                                  "-A INPUT -m comment --comment \xff\xfe -j ACCEPT\nCOMMIT\n",
                                  "rules\xfe", Family::Ipv4, rules)
                    .empty());
        router().apply(std::move(rules), Instant{});
    }
    // Boost refuses what is no UTF-8.
    static bool is_json(const std::string& text) {
        boost::system::error_code error;
        boost::json::parse(text, error);
        return !error;
    }
};

}  // namespace

TEST_CASE_FIXTURE(JsonPort, "JSON: rules with bytes that are no UTF-8") {
    const std::string rules = ask("GET", "/rules.json").body;
    CHECK_MESSAGE(is_json(rules), rules);
    CHECK(rules.find("a\xef\xbf\xbd") != std::string::npos);
    CHECK(rules.find("\xff") == std::string::npos);
}

TEST_CASE_FIXTURE(JsonPort, "JSON: what iptables prints of them, and what it complains about") {
    for (const std::string words : {"-S", "-N\nb\xff\n-x", "-L\nno\xffsuch"}) {
        const std::string answer =
            ask("POST", "/iptables", {.body = words + "\n", .query = {{"family", "ipv4"}}}).body;
        CHECK_MESSAGE(is_json(answer), answer);
    }
}

}  // namespace nsr::router
