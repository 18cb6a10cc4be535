// Expectations: who finds them, how many there may be, and how they end.
#include "tests/unit/conntrack/conntrack_fixture.hpp"

using namespace nsr;
using namespace nsr::conntrack;
using namespace nsr::test;
using namespace std::chrono_literals;
using Failure = Conntrack::ExpectFailure;

namespace {

const IpAddress kServer = IpAddress::v4(198, 51, 100, 7);
const IpAddress kClient = IpAddress::v4(10, 0, 0, 2);

Settings attaching() {
    Settings settings;
    for (const HelperInfo& helper : helpers()) {
        settings.helpers |= helper_bit(helper.id);
    }
    return settings;
}

// What connections of three clients announce to one another.
struct Wall : Firewall {
    Wall() : Firewall(attaching()) {}

    ConnId master(const char* client, const char* server = "198.51.100.7:21") {
        pass(tcp(client, server).syn());
        pass(tcp(server, client).syn().ack(1));
        Packet packet = enter(tcp(client, server).seq(1).ack(1));
        return packet.meta.conn;
    }
    ConnId irc = master("10.0.0.2:40000", "198.51.100.7:6667");
    ConnId ftp = master("10.0.0.2:40001");
    ConnId other_ftp = master("10.0.0.3:40002");

    Result<ExpectId, Failure> announce(ConnId whose, Port port, bool from_server = true) {
        ExpectedFlow flow{.protocol = 6, .destination = kClient, .destination_port = port};
        if (from_server) {
            flow.source = kServer;
        }
        return conntrack.expect_related(expect(whose, flow), now);
    }
    [[nodiscard]] std::size_t size() const { return conntrack.expectations().size(); }
    CtInfo arrives(const char* source, Port port) {
        return pass(tcp(source, "10.0.0.2:" + std::to_string(port)).syn());
    }
};

}  // namespace

TEST_CASE("expectations: found by destination and what is known of the source") {
    Expectations table({1, 2});
    std::uint32_t newest = kNoExpectation;
    const auto any = [](const Expectation&) { return true; };
    Expectation known = expect(
        ConnId{1},
        {.protocol = 6, .source = kServer, .destination = kClient, .destination_port = 5000});
    known.deadline = 100;
    const ExpectId first = table.insert(known, newest);
    Expectation anybody =
        expect(ConnId{1}, {.protocol = 17, .destination = kClient, .destination_port = 5000});
    anybody.deadline = 200;
    const ExpectId second = table.insert(anybody, newest);
    CHECK(newest == second);
    CHECK(table.older(second) == first);

    const auto find = [&](const IpAddress& source, std::uint8_t protocol, Port port, Jiffies now) {
        return table.find({source, kClient, 1234, port, protocol}, now, any);
    };
    CHECK(find(kServer, 6, 5000, 0) == first);
    CHECK(find(kClient, 6, 5000, 0) == 0);
    CHECK(find(kServer, 6, 5001, 0) == 0);
    CHECK(find(kServer, 17, 5000, 0) == second);
    CHECK(find(kClient, 17, 5000, 0) == second);
    CHECK(find(kServer, 6, 5000, 99) == first);
    CHECK(find(kServer, 6, 5000, 100) == 0);  // its time is over, collected or not

    CHECK(table.next_deadline() == Jiffies{100});
    std::vector<ExpectId> over;
    table.collect_expired(150, over);
    CHECK(over == std::vector{first});
    table.erase(first, newest);
    CHECK(table.next_deadline() == Jiffies{200});
    CHECK(newest == second);
    CHECK(table.size() == 1);
    CHECK(table.next(0) == second);
    CHECK(table.next(second) == 0);
    CHECK(table.insert(known, newest) == first);  // a slot is handed out again
}

TEST_CASE("expectations: an inactive one waits until it is activated") {
    Expectations table({1, 2});
    std::uint32_t newest = kNoExpectation;
    Expectation waiting =
        expect(ConnId{1}, {.protocol = 17, .destination = kClient, .destination_port = 5060});
    waiting.inactive = true;
    waiting.deadline = 100;
    const ExpectId id = table.insert(waiting, newest);
    const Tuple tuple{kServer, kClient, 1, 5060, 17};
    const auto any = [](const Expectation&) { return true; };
    CHECK(table.find(tuple, 0, any) == 0);
    CHECK(table.find_beside(tuple, 0, any) == id);
    table.activate(id, 500);
    CHECK(table.find(tuple, 499, any) == id);
}

TEST_CASE("expectations: which fit, which are the same, which overlap") {
    const auto of = [](const IpAddress& source, std::uint16_t source_port, Port port) {
        Expectation expectation = expect(ConnId{1}, {.protocol = 6,
                                                     .source = source,
                                                     .destination = kClient,
                                                     .source_port = source_port,
                                                     .destination_port = port});
        return expectation;
    };
    const Expectation anybody = of({}, 0, 5000);
    const Expectation server = of(kServer, 0, 5000);
    const Expectation exact = of(kServer, 20, 5000);
    CHECK(fits(anybody, {kClient, kClient, 7, 5000, 6}));
    CHECK_FALSE(fits(server, {kClient, kClient, 7, 5000, 6}));
    CHECK(fits(exact, {kServer, kClient, 20, 5000, 6}));
    CHECK_FALSE(fits(exact, {kServer, kClient, 21, 5000, 6}));
    CHECK(same_flow(server, of(kServer, 0, 5000)));
    CHECK_FALSE(same_flow(server, exact));
    CHECK(overlap(anybody, exact));
    CHECK(overlap(server, exact));
    CHECK_FALSE(overlap(exact, of(kServer, 21, 5000)));
    CHECK_FALSE(overlap(server, of(kClient, 0, 5000)));
    CHECK_FALSE(overlap(server, of(kServer, 0, 5001)));
}

TEST_CASE("conntrack: the connection that comes is the one that was expected, once") {
    Wall wall;
    REQUIRE(wall.announce(wall.ftp, 5000).ok());
    CHECK(wall.arrives("203.0.113.9:20", 5000) == CtInfo::New);
    CHECK(wall.size() == 1);
    CHECK(wall.arrives("198.51.100.7:20", 5000) == CtInfo::Related);
    CHECK(wall.size() == 0);
    CHECK(wall.arrives("198.51.100.7:21", 5000) == CtInfo::New);
    CHECK(wall.conntrack.stats().expect_new == 1);
    CHECK(wall.conntrack.stats().expect_create == 1);
    CHECK(wall.conntrack.stats().expect_delete == 1);
}

TEST_CASE("conntrack: a helper's class has room for so many, and the oldest makes way") {
    Wall wall;
    for (Port port = 5000; port < 5008; ++port) {
        REQUIRE(wall.announce(wall.irc, port, false).ok());
    }
    CHECK(wall.size() == 8);
    REQUIRE(wall.announce(wall.irc, 5008, false).ok());
    CHECK(wall.size() == 8);
    CHECK(wall.arrives("203.0.113.9:1", 5000) == CtInfo::New);
    CHECK(wall.arrives("203.0.113.9:1", 5001) == CtInfo::Related);
    REQUIRE(wall.announce(wall.ftp, 6000).ok());
    REQUIRE(wall.announce(wall.ftp, 6001).ok());
    CHECK(wall.arrives("198.51.100.7:1", 6000) == CtInfo::New);
    CHECK(wall.arrives("198.51.100.7:1", 6001) == CtInfo::Related);
}

TEST_CASE("conntrack: one master announces the same again, another one must not") {
    Wall wall;
    const auto first = wall.announce(wall.ftp, 5000);
    REQUIRE(first.ok());
    wall.wait(200s);
    REQUIRE(wall.announce(wall.ftp, 5000).ok());  // anew, for five minutes
    CHECK(wall.size() == 1);
    wall.wait(200s);
    CHECK(wall.announce(wall.other_ftp, 5000).error() == Failure::Clash);
    CHECK(wall.announce(wall.irc, 5000, false).error() == Failure::Clash);
    CHECK(wall.announce(wall.other_ftp, 5001).ok());
    wall.wait(101s);
    CHECK(wall.announce(wall.irc, 5000, false).ok());
}

TEST_CASE("conntrack: no more expectations than nf_conntrack_expect_max, and the log says so") {
    Wall wall;
    wall.configure([](Settings& settings) { settings.expect_max = 2; });
    CHECK(wall.announce(wall.irc, 5000).ok());
    CHECK(wall.announce(wall.irc, 5001).ok());
    CHECK(wall.announce(wall.irc, 5002).error() == Failure::TooMany);
    CHECK(wall.log.lines.back() == "nf_conntrack: expectation table full");
    wall.wait(301s);
    CHECK(wall.announce(wall.irc, 5003).ok());
}

TEST_CASE("conntrack: expectations end with their master; without a helper there are none") {
    Wall wall;
    REQUIRE(wall.announce(wall.ftp, 5000).ok());
    REQUIRE(wall.announce(wall.irc, 5001).ok());
    wall.conntrack.destroy(wall.ftp, wall.now);
    CHECK(wall.size() == 1);
    CHECK(wall.arrives("198.51.100.7:20", 5000) == CtInfo::New);
    wall.conntrack.flush(wall.now);
    while (!wall.conntrack.expire(wall.now)) {
    }
    CHECK(wall.size() == 0);
    const ConnId unhelped = wall.master("10.0.0.2:40009", "198.51.100.7:80");
    CHECK(wall.announce(unhelped, 5000).error() == Failure::NoHelper);
}

TEST_CASE("conntrack: flushing expectations leaves the connections alone") {
    Wall wall;
    REQUIRE(wall.announce(wall.ftp, 5000).ok());
    REQUIRE(wall.announce(wall.irc, 5001).ok());
    REQUIRE(wall.announce(wall.irc, 5002).ok());
    wall.conntrack.flush_expectations(wall.now);
    CHECK(wall.size() == 0);
    CHECK(wall.conntrack.table().size() == 3);
    CHECK(wall.conntrack.newest_expectation(wall.irc) == 0);
}
