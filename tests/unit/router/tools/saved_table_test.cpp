// A connection table that was written down, in each form that conntrack(8) and the kernel have, and
// what a router that begins with it does.
#include "router/tools/conntrack/saved_table.hpp"

#include <doctest/doctest.h>

#include "router/tools/conntrack/command.hpp"
#include "router/tools/conntrack/parse.hpp"
#include "tests/support/bench.hpp"

using namespace nsr;
using namespace nsr::router;
using namespace nsr::test;

namespace {

// 10.0.0.2 masqueraded as 192.0.2.1, its port moved.
constexpr const char* kForms[] = {
    // conntrack -L
    "tcp      6 431990 ESTABLISHED src=10.0.0.2 dst=192.0.2.9 sport=4000 dport=80 src=192.0.2.9 "
    "dst=192.0.2.1 sport=80 dport=1024 [ASSURED] mark=5 use=1",
    // conntrack -L -o extended,id with accounting and timestamps
    "ipv4     2 tcp      6 431990 ESTABLISHED src=10.0.0.2 dst=192.0.2.9 sport=4000 dport=80 "
    "packets=10 bytes=840 src=192.0.2.9 dst=192.0.2.1 sport=80 dport=1024 packets=7 bytes=900 "
    "[ASSURED] mark=5 delta-time=12 [start=Sun Nov 22 10:46:02 2026] use=1 id=2873465873",
    // /proc/net/nf_conntrack
    "ipv4     2 tcp      6 431990 ESTABLISHED src=10.0.0.2 dst=192.0.2.9 sport=4000 dport=80 "
    "src=192.0.2.9 dst=192.0.2.1 sport=80 dport=1024 [ASSURED] mark=5 zone=0 use=2",
    // conntrack -L -o save
    "-A -t 431990 -u SEEN_REPLY,ASSURED -s 10.0.0.2 -d 192.0.2.9 -r 192.0.2.9 -n 192.0.2.1 -p tcp "
    "--sport 4000 --dport 80 --reply-port-src 80 --reply-port-dst 1024 --state ESTABLISHED -m 5",
};
constexpr const char* kNat = "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n";

struct Loaded : Bench {
    explicit Loaded(const std::string& text, const std::string& rules = kNat) : Bench(rules) {
        const auto table = parse_saved_table(text, "table.txt");
        REQUIRE_MESSAGE(table.ok(), (table ? "" : table.error().front().message));
        const auto added = add_connections(*router, *table, now);
        REQUIRE_MESSAGE(added.ok(), (added ? "" : added.error().front().message));
        count = *added;
    }
    std::string listed(const std::string& options = {}) const {
        return run_conntrack(*parse_conntrack_args("-L " + options), *router, now).text;
    }
    std::size_t count = 0;
};

std::string first_error(const std::string& text) {
    const auto table = parse_saved_table(text, "table.txt");
    return table ? "" : to_string(table.error().front());
}

}  // namespace

TEST_CASE("saved table: every form gives the same entry") {
    for (const char* form : kForms) {
        CAPTURE(form);
        const Loaded loaded(form);
        CHECK(loaded.count == 1);
        CHECK(loaded.listed() == std::string(kForms[0]) + "\n");
    }
}

TEST_CASE("saved table: packets of a connection that is translated go on translated, both ways") {
    for (const char* form : kForms) {
        CAPTURE(form);
        Loaded loaded(form);
        loaded.from_lan(tcp("10.0.0.2:4000", "192.0.2.9:80").seq(1).ack(1).data("x"));
        REQUIRE(loaded.left.size() == 1);
        CHECK(to_string(loaded.left[0].layout.source) == "192.0.2.1");
        loaded.from_wan(tcp("192.0.2.9:80", "192.0.2.1:1024").seq(1).ack(2).data("y"));
        REQUIRE(loaded.left.size() == 2);
        CHECK(to_string(loaded.left[1].layout.destination) == "10.0.0.2");
        CHECK(loaded.listed("-p tcp").find("sport=4000 dport=80") != std::string::npos);
    }
}

// The nat table was asked when the connection began, elsewhere.
TEST_CASE("saved table: a connection that was not translated is not translated now") {
    Loaded loaded(
        "udp      17 29 src=10.0.0.2 dst=192.0.2.9 sport=4000 dport=53 [UNREPLIED] src=192.0.2.9 "
        "dst=10.0.0.2 sport=53 dport=4000 mark=0 use=1\n");
    loaded.from_lan(udp("10.0.0.2:4000", "192.0.2.9:53"));
    REQUIRE(loaded.left.size() == 1);
    CHECK(to_string(loaded.left[0].layout.source) == "10.0.0.2");
}

TEST_CASE("saved table: what is printed of a table makes the same table, in either form") {
    Loaded loaded(
        "tcp 6 100 SYN_SENT src=10.0.0.2 dst=192.0.2.9 sport=1 dport=2 [UNREPLIED] src=192.0.2.9 "
        "dst=192.0.2.1 sport=2 dport=1 mark=0 use=1\n"
        "tcp 6 60 TIME_WAIT src=192.0.2.9 dst=192.0.2.1 sport=7 dport=80 src=10.0.0.3 "
        "dst=192.0.2.9 sport=8080 dport=7 [ASSURED] mark=0 use=1\n"
        "icmp 1 29 src=10.0.0.2 dst=192.0.2.9 type=8 code=0 id=77 src=192.0.2.9 dst=192.0.2.1 "
        "type=0 code=0 id=77 mark=0 use=1\n"
        "udp 17 29 src=10.0.0.2 dst=192.0.2.9 sport=5 dport=6 src=192.0.2.9 dst=10.0.0.2 sport=6 "
        "dport=5 mark=0 zone=7 use=1\n"
        "tcp 6 100 ESTABLISHED src=fd00:1::2 dst=2001:db8::9 sport=1 dport=2 src=2001:db8::9 "
        "dst=fd00:1::2 sport=2 dport=1 [ASSURED] mark=0 use=1\n"
        "unknown  50 500 src=10.0.0.2 dst=192.0.2.9 src=192.0.2.9 dst=10.0.0.2 mark=0 use=1\n");
    CHECK(loaded.count == 6);
    for (const char* form : {"", "-o extended", "-o save"}) {
        CAPTURE(form);
        const Loaded again(loaded.listed(form));
        CHECK(again.count == 6);
        CHECK(again.listed() == loaded.listed());
    }
}

TEST_CASE("saved table: comments, empty lines and the tool's count are passed over") {
    const Loaded loaded(std::string("# of the gateway\n\n") + kForms[0] +
                        "\nconntrack v1.4.7 (conntrack-tools): 1 flow entries have been shown.\n");
    CHECK(loaded.count == 1);
}

TEST_CASE("saved table: an entry that is there twice is one") {
    CHECK(Loaded(std::string(kForms[0]) + "\n" + kForms[2] + "\n").count == 1);
}

TEST_CASE("saved table: a flow that hardware forwards has no time; it counts as established") {
    const Loaded loaded(
        "ipv4 2 tcp 6 src=10.0.0.2 dst=192.0.2.9 sport=4000 dport=80 src=192.0.2.9 dst=10.0.0.2 "
        "sport=80 dport=4000 [OFFLOAD] mark=0 use=2\n");
    CHECK(loaded.listed().find("ESTABLISHED src=10.0.0.2") != std::string::npos);
}

TEST_CASE("saved table: labels are numbers, and a helper is told to be left out") {
    const std::string line = std::string(kForms[0]);
    const auto table = parse_saved_table(line + " helper=ftp labels=0,7\n", "table.txt");
    REQUIRE(table.ok());
    const ConfigErrors told = left_out_of(*table);
    REQUIRE(told.size() == 1);
    CHECK(to_string(told[0]) == "table.txt:1: helper=ftp is not taken over");
    CHECK(table->connections[0].connection.with.labels->set[0] == 0x81);
}

TEST_CASE("saved table: what is wrong is told with its line, and nothing is loaded") {
    const std::pair<const char*, const char*> kWrong[] = {
        {"GET / HTTP/1.1",
         "this is no line of a connection table: \"GET\" is not followed by the "
         "number of a protocol"},
        {"tcp 6 x", "unknown word \"x\""},
        {"tcp 6 10 ESTABLISHD src=10.0.0.2", "unknown state \"ESTABLISHD\" of tcp"},
        {"tcp 6 10 NONE src=10.0.0.2.5", "src= has no value that fits: \"10.0.0.2.5\""},
        {"udp 17 10 src=10.0.0.2 dst=10.0.0.3 sport=70000",
         "sport= has no value that fits: "
         "\"70000\""},
        {"udp 17 10 src=10.0.0.2 dst=10.0.0.3 sport=7 dport=7",
         "a connection has src= and dst= twice, of both directions"},
        {"udp 17 10 src=10.0.0.2 dst=10.0.0.3 src=fd00::1 dst=fd00::2",
         "the two directions are of different address families"},
        {"udp 17 src=10.0.0.2 dst=10.0.0.3 src=10.0.0.3 dst=10.0.0.2",
         "how many seconds it has left is missing"},
        {"udp 17 10 src=10.0.0.2 dst=10.0.0.3 src=10.0.0.3 dst=10.0.0.2 src=10.0.0.3",
         "src= has no value that fits: \"10.0.0.3\""},
        {"udp 17 10 colour=red", "unknown word \"colour=\""},
        {"udp 17 10 [BLUE]", "unknown word \"[BLUE]\""},
        {"icmp 1 10 src=10.0.0.2 dst=10.0.0.3 type=3 code=1 id=0 src=10.0.0.3 dst=10.0.0.2 type=0 "
         "code=0 id=0",
         "an ICMP type that nobody answers has no connection"},
        {"-D -s 10.0.0.2", "a saved connection is -A or -I, not another command"},
        {"-A -s", "option `-s' requires an argument"},
    };
    for (const auto& [line, message] : kWrong) {
        CAPTURE(line);
        CHECK(first_error(std::string("# one\n") + line + "\n") ==
              std::string("table.txt:2: ") + message);
    }
}

TEST_CASE("saved table: every prefix of a line is told or taken, and none is read beyond its end") {
    for (const char* form : kForms) {
        const std::string whole(form);
        for (std::size_t length = 0; length <= whole.size(); ++length) {
            const auto line = parse_saved_connection(std::string_view(whole).substr(0, length));
            CHECK((line.ok() || !line.error().empty()));
        }
    }
}

TEST_CASE("saved table: a router that tracks nothing says so") {
    Bench idle("", Family::Ipv4, {.tracking = TrackingMode::Auto});
    const auto table = parse_saved_table(kForms[0], "table.txt");
    const auto added = add_connections(*idle.router, *table, idle.now);
    REQUIRE(!added.ok());
    CHECK(to_string(added.error().front()) ==
          "table.txt: connections are not tracked, for no rule needs it: [conntrack] mode = \"on\" "
          "tracks them");
}

TEST_CASE("saved table: a full one says which line did not fit") {
    Bench small(kNat);
    pipeline::Settings settings = small.router->settings();
    settings.conntrack.max = 1;
    small.router->configure(settings);
    const auto table = parse_saved_table(
        std::string(kForms[0]) +
            "\nunknown 99 500 src=10.0.0.2 dst=192.0.2.9 src=192.0.2.9 dst=10.0.0.2 mark=0\n",
        "table.txt");
    const auto added = add_connections(*small.router, *table, small.now);
    REQUIRE(!added.ok());
    CHECK(to_string(added.error().front()) ==
          "table.txt:2: the router does not take this connection: not enough memory");
}
