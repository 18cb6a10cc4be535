// Address sets over the control port: listings, new contents in one step, and the words of ipset.
#include <doctest/doctest.h>

#include <string>

#include "core/rules/language/parse.hpp"
#include "core/sets/sets.hpp"
#include "router/http/client.hpp"
#include "tests/unit/router/control/port_fixture.hpp"

namespace nsr::router {
namespace {

using http::Response;

// With the words of ipset.
class SetsPort : public PortFixture {
  public:
    // What the command prints, and behind it its exit code and its messages.
    std::string ipset(const std::string& words, const std::string& input = {}) {
        const Response response = ask("POST", "/ipset", {.body = words + "\n\n" + input});
        REQUIRE(response.status == 200);
        return response.body + percent_decode(response.trailer_value());
    }
};

std::string elements_of(const Response& response) {
    return response.body.substr(std::min(response.body.find('\n') + 1, response.body.size()));
}

}  // namespace

TEST_CASE("sets: the words of ipset, with its output, messages and exit codes") {
    SetsPort port;
    CHECK(port.ipset("create\nbad\nhash:ip") == "0 ");
    CHECK(port.ipset("add\nbad\n192.0.2.1") == "0 ");
    CHECK(port.ipset("test\nbad\n192.0.2.1") == "0 Warning: 192.0.2.1 is in set bad.\n");
    CHECK(port.ipset("test\nbad\n192.0.2.2") == "1 192.0.2.2 is NOT in set bad.\n");
    CHECK(port.ipset("list\n-n") == "bad\n0 ");
    CHECK(port.ipset("restore", "add bad 192.0.2.2\n\nadd bad 192.0.2.2\n") ==
          "1 ipset v7.17: Error in line 3: Element cannot be added to the set: it's already "
          "added\n");
    CHECK(port.ask("POST", "/ipset", {.body = "frobnicate"}).status == 400);
}

TEST_CASE("sets: new contents are put in place in one step, or not at all") {
    SetsPort port;
    CHECK(port.ask("PUT", "/sets/bad", {.body = "10.0.0.0/8\n"}).status == 404);
    CHECK(port.ask("PUT", "/sets/bad", {.body = "create bad hash:net\nadd bad 10.0.0.0/8\n"})
              .status == 200);
    CHECK(elements_of(port.ask("GET", "/sets/bad")) == "add bad 10.0.0.0/8\n");
    CHECK(
        port.ask("PUT", "/sets/bad", {.body = "# mine\n192.0.2.0/24\n\n198.51.100.0/24 nomatch\n"})
            .status == 200);
    const std::string now = "add bad 192.0.2.0/24\nadd bad 198.51.100.0/24 nomatch\n";
    CHECK(elements_of(port.ask("GET", "/sets/bad")) == now);
    const Response wrong = port.ask("PUT", "/sets/bad", {.body = "10.0.0.0/8\nten\n"});
    CHECK(wrong.status == 400);
    CHECK(wrong.body.starts_with("line 2: Syntax error: cannot parse ten"));
    CHECK(elements_of(port.ask("GET", "/sets/bad")) == now);
    CHECK(port.ask("PUT", "/sets/bad", {.body = "create other hash:net\n"}).body ==
          "line 1: speaks of set \"other\", not of \"bad\"\n");
    CHECK(port.ask("PUT", "/sets/-x", {.body = "create -x hash:net\n"}).status == 400);
}

TEST_CASE("sets: a list gets members by their names") {
    SetsPort port;
    port.ask("PUT", "/sets/a", {.body = "create a hash:net\n"});
    port.ask("PUT", "/sets/b", {.body = "create b bitmap:port range 0-1023\n"});
    CHECK(port.ask("PUT", "/sets/l", {.body = "create l list:set\nadd l b\nadd l a\n"}).status ==
          200);
    CHECK(port.ask("PUT", "/sets/l", {.body = "a\nb\n"}).status == 200);
    CHECK(elements_of(port.ask("GET", "/sets/l")) == "add l a\nadd l b\n");
    CHECK(port.ask("PUT", "/sets/l", {.body = "a\nnobody\n"}).status == 400);
    CHECK(port.ask("DELETE", "/sets/a").status == 409);
    CHECK(port.ask("DELETE", "/sets/l").status == 200);
    CHECK(port.ask("DELETE", "/sets/a").status == 200);
    CHECK(port.ask("DELETE", "/sets/a").status == 404);
}

TEST_CASE("sets: a line that stands for too many elements is refused with its number") {
    SetsPort port;
    CHECK(port.ask("PUT", "/sets/f", {.body = "create f hash:ip forceadd\n"}).status == 200);
    const Response wrong = port.ask("PUT", "/sets/f", {.body = "192.0.2.1\n1.0.0.0/8\n"});
    CHECK(wrong.status == 400);
    CHECK(wrong.body.starts_with("line 2: The range you specified exceeds the size limit"));
}

TEST_CASE("sets: JSON by its ending or by what the client accepts") {
    SetsPort port;
    port.ask("PUT", "/sets/bad",
             {.body = "create bad hash:ip counters comment initval 0x5\n"
                      "add bad 192.0.2.1 packets 3 bytes 120 comment \"a back\\slash\"\n"});
    const std::string text = port.ask("GET", "/sets/bad.json").body;
    CHECK(text.starts_with("{\"name\": \"bad\", \"type\": \"hash:ip\", \"family\": \"inet\", "));
    CHECK(text.find("\"counters\": true") != std::string::npos);
    CHECK(
        text.ends_with("\"entries\": [\n {\"element\": \"192.0.2.1\", \"packets\": 3, "
                       "\"bytes\": 120, \"comment\": \"a back\\\\slash\"}]}\n"));
    CHECK(port.ask("GET", "/sets/bad", {.accept = "application/json"}).body == text);
    CHECK(port.ask("GET", "/sets.json").body.starts_with("[{\"name\": \"bad\""));
    CHECK(port.ask("GET", "/sets/good").status == 404);
}

TEST_CASE("sets: what a rule names stays, and its contents may change under it") {
    SetsPort port;
    port.ask("PUT", "/sets/bad", {.body = "create bad hash:ip\n"});
    rules::Ruleset ruleset;
    REQUIRE(rules::parse_save("*filter\n-A FORWARD -m set --match-set bad src -j DROP\nCOMMIT\n",
                              "rules", Family::Ipv4, ruleset)
                .empty());
    port.router().apply(ruleset, Instant{});
    CHECK(port.ask("DELETE", "/sets/bad").status == 409);
    CHECK(port.ask("PUT", "/sets/bad", {.body = "192.0.2.1\n"}).status == 200);
    CHECK(elements_of(port.ask("GET", "/sets/bad")) == "add bad 192.0.2.1\n");
    CHECK(port.ipset("list\n-t\nbad").find("References: 1\n") != std::string::npos);
}
}  // namespace nsr::router
