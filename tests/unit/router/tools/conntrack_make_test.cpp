// Connections and expectations that conntrack(8) makes. That what is printed of them is what the
// tool prints, tests/system/conntrack_tool_test.py compares.
#include <doctest/doctest.h>

#include "router/tools/conntrack/command.hpp"
#include "router/tools/conntrack/parse.hpp"
#include "tests/support/bench.hpp"

using namespace nsr;
using namespace nsr::router;
using namespace nsr::test;

namespace {

constexpr const char* kNat = "*nat\nCOMMIT\n";

struct Made : Bench {
    explicit Made(const std::string& rules = {}) : Bench(rules) {}

    ConntrackAnswer run(const std::string& line) {
        const auto args = parse_conntrack_args(line);
        REQUIRE_MESSAGE(args.ok(), line);
        return run_conntrack(*args, *router, now);
    }
    std::string listed(const std::string& filter = {}) { return run("-L " + filter).text; }
};

const std::string kFlow = "-s 10.0.0.2 -d 203.0.113.5 -p tcp --sport 4000 --dport 80 ";

}  // namespace

// kernel: ctnetlink_new_conntrack
TEST_CASE_FIXTURE(Made, "conntrack: -I fails where an entry is, -A leaves it as it is") {
    const std::string line = kFlow + "-t 100 --state ESTABLISHED";
    CHECK(run("-I " + line).entries == 1);
    CHECK(run("-I " + line).error == "Operation failed: Such conntrack exists, try -U to update");
    const ConntrackAnswer again = run("-A " + kFlow + "-t 200 --state CLOSE");
    CHECK(again.error.empty());
    CHECK(again.entries == 0);
    CHECK(listed() ==
          "tcp      6 100 ESTABLISHED src=10.0.0.2 dst=203.0.113.5 sport=4000 dport=80 [UNREPLIED] "
          "src=203.0.113.5 dst=10.0.0.2 sport=80 dport=4000 mark=0 use=1\n");
}

TEST_CASE_FIXTURE(Made, "conntrack: a mark and a status are those that were given") {
    CHECK(run("-I " + kFlow + "-t 100 --state ESTABLISHED -m 5 -u ASSURED,SEEN_REPLY").entries ==
          1);
    CHECK(listed("-m 5 -u ASSURED").find("[ASSURED] mark=5") != std::string::npos);
}

// kernel: ctnetlink_change_status: EBUSY
TEST_CASE_FIXTURE(Made, "conntrack: nothing is made of a status that cannot be set") {
    CHECK(run("-I " + kFlow + "-t 100 --state ESTABLISHED -u EXPECTED").error ==
          "Operation failed: Device or resource busy");
    CHECK(run("-C").text == "0\n");
}

TEST_CASE("conntrack: a full table takes no entry by hand") {
    Made bench;
    pipeline::Settings settings = bench.router->settings();
    settings.conntrack.max = 1;
    bench.router->configure(settings);
    CHECK(bench.run("-I -s 10.0.0.2 -d 10.0.0.3 -p 99 -t 100 -u ASSURED").entries == 1);
    CHECK(bench.run("-I -s 10.0.0.2 -d 10.0.0.4 -p 99 -t 100").error ==
          "Operation failed: not enough memory");
}

// kernel: ctnetlink_setup_nat, nf_nat_packet
TEST_CASE("conntrack: packets of an entry with dst-nat pass translated, both ways") {
    Made bench(kNat);
    CHECK(bench
              .run("-I " + kFlow +
                   "-t 100 --state ESTABLISHED -u ASSURED,SEEN_REPLY -g 192.0.2.2:8080")
              .entries == 1);
    bench.from_lan(tcp("10.0.0.2:4000", "203.0.113.5:80").seq(1).ack(1).data("x"));
    REQUIRE(bench.left.size() == 1);
    CHECK(to_string(bench.left[0].layout.destination) == "192.0.2.2");
    bench.from_wan(tcp("192.0.2.2:8080", "10.0.0.2:4000").seq(1).ack(2).data("y"));
    REQUIRE(bench.left.size() == 2);
    CHECK(to_string(bench.left[1].layout.source) == "203.0.113.5");
    CHECK(bench.listed("-p tcp --state ESTABLISHED").find("[ASSURED]") != std::string::npos);
}

// kernel: ctnetlink_create_expect
TEST_CASE("conntrack: an expectation made by hand needs a master that a helper follows") {
    Made bench("*raw\n-A PREROUTING -p tcp --dport 21 -j CT --helper ftp\nCOMMIT\n");
    const std::string what =
        " -t 50 --tuple-src 192.0.2.2 --tuple-dst 10.0.0.2 --tuple-port-src 0 --tuple-port-dst "
        "5000 --mask-src 255.255.255.255 --mask-dst 255.255.255.255 --mask-port-src 0 "
        "--mask-port-dst 65535";
    const std::string master = "-s 10.0.0.2 -d 192.0.2.2 -p tcp --sport 4000 --dport 21";
    CHECK(bench.run("-I expect " + master + what).error ==
          "Operation failed: master conntrack not found");
    bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.2:21").syn().seq(1000));
    CHECK(bench.run("-I expect " + master + what).error.empty());
    CHECK(bench.run("-C expect").text == "1\n");
    const std::string one =
        "expect -s 192.0.2.2 -d 10.0.0.2 -p tcp --sport 1 --dport 5000 --reply-port-src 0 "
        "--reply-port-dst 0";
    CHECK(bench.run("-G " + one).text.find("dport=5000") != std::string::npos);
    CHECK(bench.run("-D " + one).entries == 1);
    CHECK(bench.run("-D " + one).error == "Operation failed: No such file or directory");
}

// kernel: nf_ct_get_id
TEST_CASE_FIXTURE(Made, "conntrack: an id belongs to one entry as long as it lives") {
    run("-I " + kFlow + "-t 100 --state ESTABLISHED");
    run("-I -s 10.0.0.2 -d 10.0.0.3 -p 99 -t 100");
    const std::string shown = listed("-p tcp -o id");
    const std::size_t at = shown.find(" id=") + 4;
    const std::string id = shown.substr(at, shown.size() - at - 1);  // without the line break
    CHECK(run("-D -i " + id).entries == 1);
    CHECK(run("-D -i " + id).entries == 0);
    CHECK(run("-C").text == "1\n");
}
