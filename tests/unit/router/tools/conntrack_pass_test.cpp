// conntrack(8) going through the table of a router.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "router/tools/conntrack/command.hpp"
#include "router/tools/conntrack/parse.hpp"
#include "tests/unit/router/tools/table_fixture.hpp"

namespace nsr::router {
namespace {

using test::udp;

struct Bench : test::TableFixture {
    ConntrackAnswer run(std::string_view line) {
        const auto args = parse_conntrack_args(line);
        REQUIRE_MESSAGE(args.ok(), std::string(line));
        return run_conntrack(*args, router, now);
    }

    // How many objects the JSON listing has.
    std::size_t listed() {
        std::string json;
        ConntrackPass pass({}, ConntrackPass::Form::Json);
        while (pass.advance(router, json, 1000, now)) {
        }
        CHECK(pass.entries() ==
              static_cast<std::size_t>(std::count(json.begin(), json.end(), '{')) / 3);
        return pass.entries();
    }
};

}  // namespace

// kernel: ctnetlink_dump_table passes over what has run out; nf_conntrack_count still has it
TEST_CASE_FIXTURE(Bench,
                  "conntrack: what has run out is counted until it is removed, but not shown") {
    send(udp("10.0.0.2:1000", "198.51.100.7:53"));
    send(udp("10.0.0.2:1000", "198.51.100.7:123"));
    CHECK(listed() == 2);
    CHECK(run("-U -p udp --dport 53 -t 00").entries == 1);
    CHECK(listed() == 1);
    CHECK(run("-L").entries == 1);
    CHECK(run("-L").text.find("dport=123") != std::string::npos);
    CHECK(run("-D -p udp --dport 53").entries == 0);
    CHECK(run("-C").text == "2\n");
    EgressQueue out;
    router.expire(now, out);
    CHECK(run("-C").text == "1\n");
}

}  // namespace nsr::router
