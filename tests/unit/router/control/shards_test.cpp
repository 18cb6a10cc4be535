// The control port of the first of two shards.
#include <algorithm>
#include <string>

#include "core/procfs/files.hpp"
#include "tests/support/lan_and_wan.hpp"
#include "tests/unit/router/control/port_fixture.hpp"

using namespace nsr;
using namespace nsr::router;

namespace {

// The second one, whose loop is always at hand.
class SecondShard : public OtherShards {
  public:
    SecondShard() { REQUIRE(router.set_tracking(TrackingMode::On, Instant{}).ok()); }

    std::size_t size() const override { return 1; }
    void ask(std::size_t, std::function<void(const Asked&)> work,
             std::function<void()> done) override {
        work({router, tree});
        done();
    }
    void gather(std::function<void()> done) override {
        ++gathered;
        done();
    }
    void follow_settings(std::function<void()> done) override {
        ++settings_followed;
        done();
    }
    void follow_network() override { ++network_followed; }
    router::Port::Counters port_counters(IfIndex) const override { return {}; }
    std::vector<Report> reports() const override { return std::vector<Report>(2); }

    Router router{Router::Options{.seed = 2}};
    procfs::Tree tree{procfs::Context{router}};
    unsigned gathered = 0;
    unsigned settings_followed = 0;
    unsigned network_followed = 0;
};

// A connection that somebody made by hand.
void add_connection(Router& router, std::uint16_t port) {
    conntrack::NewConnection wanted;
    wanted.original = {*parse_address("10.0.1.2"), *parse_address("192.0.2.2"), port, 53,
                       proto::kUdp};
    wanted.reply = *conntrack::invert(wanted.original);
    wanted.with.timeout_seconds = 60;
    REQUIRE(router.made_connections().insert(wanted, {}, SystemClock().now()).ok());
}

bool is_refused(const http::Response& response) {
    return response.status == 501 &&
           response.body.find("needs shards = 1, and this router has 2") != std::string::npos;
}

}  // namespace

TEST_CASE("shards: every endpoint speaks for both, or says that it cannot") {
    SecondShard second;
    PortFixture first(&second);
    for (const ControlPort::Endpoint& endpoint : ControlPort::endpoints()) {
        const std::string method(endpoint.method);
        const std::string path(endpoint.path);
        CAPTURE(method);
        CAPTURE(path);
        const unsigned before = second.gathered;
        const http::Response response = first.ask(method, path);
        CHECK(is_refused(response) == (endpoint.sharded == procfs::Sharded::Refused));
        CHECK((second.gathered != before) == (endpoint.sharded == procfs::Sharded::Sum));
    }
    CHECK(second.settings_followed > 0);
    CHECK(second.network_followed > 0);
}

TEST_CASE("shards: a refusal is for those who might ask") {
    SecondShard second;
    PortFixture first(&second);
    CHECK(first.ask("GET", "/why", {.caller = Caller{65534, false}}).status == 403);
    CHECK(is_refused(first.ask("GET", "/why")));
}

TEST_CASE("shards: every file is of both, or refused") {
    SecondShard second;
    PortFixture first(&second);
    add_connection(first.router(), 1000);
    add_connection(second.router, 2000);
    for (const procfs::File& file : procfs::files()) {
        const std::string path(file.path);
        CAPTURE(path);
        const unsigned before = second.gathered;
        const http::Response response = first.ask("GET", path);
        CHECK(is_refused(response) == (file.sharded == procfs::Sharded::Refused));
        CHECK((second.gathered != before) == (file.sharded != procfs::Sharded::Refused));
        const bool has_both = response.body.find("sport=1000") != std::string::npos &&
                              response.body.find("sport=2000") != std::string::npos;
        CHECK(has_both == (file.sharded == procfs::Sharded::Rows));
    }
}

TEST_CASE("shards: one pass goes over all tables") {
    SecondShard second;
    PortFixture first(&second);
    add_connection(first.router(), 1000);
    add_connection(second.router, 2000);
    const std::string json = first.ask("GET", "/conntrack").body;
    CHECK(std::count(json.begin(), json.end(), '[') == 1);
    CHECK(json.find("\"sport\":1000") < json.find("\"sport\":2000"));
    CHECK(json.ends_with("}\n]\n"));
    CHECK(first.ask("GET", "/top").body.find("\"entries\":2") != std::string::npos);
    const http::Response xml = first.ask("POST", "/conntrack", {.body = "-L\n-o\nxml"});
    CHECK(xml.body.find("<?xml") == xml.body.rfind("<?xml"));
    CHECK(xml.body.find("</conntrack>") == xml.body.rfind("</conntrack>"));
    CHECK(xml.trailer_value() == "2");
    CHECK(first.ask("DELETE", "/conntrack").body == "2\n");
    CHECK(first.router().conntrack().table().size() == 0);
    CHECK(second.router.conntrack().table().size() == 0);
}

TEST_CASE("shards: what is about one connection is refused") {
    SecondShard second;
    PortFixture first(&second);
    for (const char* words :
         {"-G\n-s\n10.0.1.2\n-d\n192.0.2.2\n-p\nudp\n--sport\n1\n--dport\n2",
          "-I\n-s\n10.0.1.2\n-d\n192.0.2.2\n-p\nudp\n--sport\n1\n--dport\n2\n-t\n9",
          "-R\n\n-A -s 10.0.1.2 -d 192.0.2.2 -p udp --sport 1 --dport 2 -t 9\n", "-E"}) {
        CAPTURE(words);
        CHECK(is_refused(first.ask("POST", "/conntrack", {.body = words})));
    }
    CHECK(is_refused(first.ask("GET", "/conntrack", {.query = {{"limit", "5"}}})));
    CHECK(is_refused(first.ask("POST", "/reload", {.query = {{"existing", "kill"}}})));
    CHECK(is_refused(first.ask("POST", "/reload", {.query = {{"dry-run", "1"}}})));
    CHECK(first.reloads == 0);
}
