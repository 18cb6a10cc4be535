// Address sets over the control port: listings, new contents in one step, and the words of ipset.
#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "core/rules/language/parse.hpp"
#include "core/sets/sets.hpp"
#include "router/control/client.hpp"
#include "router/control/port.hpp"

namespace nsr::router {
namespace {

using http::Request;
using http::Response;

// The control port of a router without devices; what is done beside packets is done at once.
class SetsPort {
  public:
    SetsPort() { log_.copy_to_stderr = false; }

    Response ask(const std::string& method, const std::string& path, const std::string& body = {},
                 const std::string& accept = {}) {
        Request request;
        request.method = method;
        request.path = path;
        request.body = body;
        request.accepts_json = accept == "application/json";
        request.caller = {0, true};
        Response response = port_.handle(request);
        if (response.later) {
            const auto later = std::exchange(response.later, nullptr);
            later([&](Response known) { response = std::move(known); });
        }
        if (response.stream) {
            response.body.clear();
            while (response.stream(response.body) == http::Piece::More) {
            }
        }
        return response;
    }
    // What the command prints, and behind it its exit code and its messages.
    std::string ipset(const std::string& words, const std::string& input = {}) {
        const Response response = ask("POST", "/ipset", words + "\n\n" + input);
        REQUIRE(response.status == 200);
        return response.body + percent_decode(response.trailer_value());
    }
    Router& router() { return router_; }

  private:
    SystemClock clock_;
    KernelLog log_{clock_};
    Router router_{Router::Options{}};
    Engine engine_{router_, clock_, log_};
    Config config_;
    procfs::Tree tree_{procfs::Context{router_, procfs::LineFormat::Article, {}, 1u << 30}};
    ControlPort port_{Controls{
        router_,
        tree_,
        log_,
        clock_,
        engine_,
        config_,
        clock_.now(),
        1u << 30,
        [](ReloadRequest, const Reloaded& done) { done({}); },
        [](const MakeRules&, const RulesChanged& done) { done(Done{}); },
        [](const std::function<void()>& work, const std::function<void(const std::string&)>& done) {
            work();
            done({});
        },
        [] {},
        [] { return std::nullopt; },
        {}}};
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
    CHECK(port.ask("POST", "/ipset", "frobnicate").status == 400);
}

TEST_CASE("sets: new contents are put in place in one step, or not at all") {
    SetsPort port;
    CHECK(port.ask("PUT", "/sets/bad", "10.0.0.0/8\n").status == 404);
    CHECK(port.ask("PUT", "/sets/bad", "create bad hash:net\nadd bad 10.0.0.0/8\n").status == 200);
    CHECK(elements_of(port.ask("GET", "/sets/bad")) == "add bad 10.0.0.0/8\n");
    CHECK(
        port.ask("PUT", "/sets/bad", "# mine\n192.0.2.0/24\n\n198.51.100.0/24 nomatch\n").status ==
        200);
    const std::string now = "add bad 192.0.2.0/24\nadd bad 198.51.100.0/24 nomatch\n";
    CHECK(elements_of(port.ask("GET", "/sets/bad")) == now);
    const Response wrong = port.ask("PUT", "/sets/bad", "10.0.0.0/8\nten\n");
    CHECK(wrong.status == 400);
    CHECK(wrong.body.starts_with("line 2: Syntax error: cannot parse ten"));
    CHECK(elements_of(port.ask("GET", "/sets/bad")) == now);
    CHECK(port.ask("PUT", "/sets/bad", "create other hash:net\n").body ==
          "line 1: speaks of set \"other\", not of \"bad\"\n");
    CHECK(port.ask("PUT", "/sets/-x", "create -x hash:net\n").status == 400);
}

TEST_CASE("sets: a list gets members by their names") {
    SetsPort port;
    port.ask("PUT", "/sets/a", "create a hash:net\n");
    port.ask("PUT", "/sets/b", "create b bitmap:port range 0-1023\n");
    CHECK(port.ask("PUT", "/sets/l", "create l list:set\nadd l b\nadd l a\n").status == 200);
    CHECK(port.ask("PUT", "/sets/l", "a\nb\n").status == 200);
    CHECK(elements_of(port.ask("GET", "/sets/l")) == "add l a\nadd l b\n");
    CHECK(port.ask("PUT", "/sets/l", "a\nnobody\n").status == 400);
    CHECK(port.ask("DELETE", "/sets/a").status == 409);
    CHECK(port.ask("DELETE", "/sets/l").status == 200);
    CHECK(port.ask("DELETE", "/sets/a").status == 200);
    CHECK(port.ask("DELETE", "/sets/a").status == 404);
}

TEST_CASE("sets: a line that stands for too many elements is refused with its number") {
    SetsPort port;
    CHECK(port.ask("PUT", "/sets/f", "create f hash:ip forceadd\n").status == 200);
    const Response wrong = port.ask("PUT", "/sets/f", "192.0.2.1\n1.0.0.0/8\n");
    CHECK(wrong.status == 400);
    CHECK(wrong.body.starts_with("line 2: The range you specified exceeds the size limit"));
}

TEST_CASE("sets: JSON by its ending or by what the client accepts") {
    SetsPort port;
    port.ask("PUT", "/sets/bad",
             "create bad hash:ip counters comment initval 0x5\n"
             "add bad 192.0.2.1 packets 3 bytes 120 comment \"a back\\slash\"\n");
    const std::string text = port.ask("GET", "/sets/bad.json").body;
    CHECK(text.starts_with("{\"name\": \"bad\", \"type\": \"hash:ip\", \"family\": \"inet\", "));
    CHECK(text.find("\"counters\": true") != std::string::npos);
    CHECK(
        text.ends_with("\"entries\": [\n {\"element\": \"192.0.2.1\", \"packets\": 3, "
                       "\"bytes\": 120, \"comment\": \"a back\\\\slash\"}]}\n"));
    CHECK(port.ask("GET", "/sets/bad", {}, "application/json").body == text);
    CHECK(port.ask("GET", "/sets.json").body.starts_with("[{\"name\": \"bad\""));
    CHECK(port.ask("GET", "/sets/good").status == 404);
}

TEST_CASE("sets: what a rule names stays, and its contents may change under it") {
    SetsPort port;
    port.ask("PUT", "/sets/bad", "create bad hash:ip\n");
    rules::Ruleset ruleset;
    REQUIRE(rules::parse_save("*filter\n-A FORWARD -m set --match-set bad src -j DROP\nCOMMIT\n",
                              "rules", Family::Ipv4, ruleset)
                .empty());
    port.router().apply(ruleset, Instant{});
    CHECK(port.ask("DELETE", "/sets/bad").status == 409);
    CHECK(port.ask("PUT", "/sets/bad", "192.0.2.1\n").status == 200);
    CHECK(elements_of(port.ask("GET", "/sets/bad")) == "add bad 192.0.2.1\n");
    CHECK(port.ipset("list\n-t\nbad").find("References: 1\n") != std::string::npos);
}
}  // namespace nsr::router
