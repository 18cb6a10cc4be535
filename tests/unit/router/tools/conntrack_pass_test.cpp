// conntrack(8) going through the table of a router.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "router/tools/conntrack/command.hpp"
#include "router/tools/conntrack/parse.hpp"
#include "tests/support/packet_builder.hpp"

namespace nsr::router {
namespace {

using test::udp;

// A router that tracks what it forwards from lan to wan.
struct Bench {
    BufferPool pool;
    Router router{{}};
    Instant now{std::chrono::seconds(1000)};

    Bench() {
        add("lan", "10.0.0.1/24");
        add("wan", "198.51.100.1/24");
        REQUIRE(router.set_tracking(TrackingMode::On, now).ok());
    }

    void add(const char* name, const char* address) {
        routing::Interface interface;
        interface.name = name;
        interface.addresses.push_back(*parse_prefix(address));
        router.add_interface(std::move(interface));
    }

    void send(const test::PacketBuilder& builder) {
        Packet packet = builder.packet(pool);
        packet.meta.in = router.interfaces().find("lan")->index;
        EgressQueue out;
        router.receive({&packet, 1}, now, out);
    }

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
