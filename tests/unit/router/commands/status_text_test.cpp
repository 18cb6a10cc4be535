// The status of a router for people.
#include "router/commands/status_text.hpp"

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <string>

namespace nsr::router {
namespace {

const std::string kStatus = R"({"uptime_seconds":93784.000,"name":"demo","version":"1.0",
"build":"release","config":"demo.toml","interfaces":[
{"name":"lan","index":1,"device":"lan","netns":"inside","host":false,"up":true,"mtu":1500,
 "addresses":["10.0.1.1/24","2001:db8::1/64"],"offload":"tso","counters":{"rx_packets":7,
 "rx_bytes":1536,"rx_dropped":1,"tx_packets":6,"tx_bytes":627,"tx_dropped":2}},
{"name":"wan","index":2,"device":"wan","netns":"","host":false,"up":false,"mtu":1400,
 "addresses":[],"offload":"off","counters":{"rx_packets":0,"rx_bytes":0,"rx_dropped":0,
 "tx_packets":0,"tx_bytes":0,"tx_dropped":0}}],
"conntrack":{"active":true,"mode":"auto","count":1,"max":65536,"buckets":16384,
"bytes_per_entry":144,"bytes_in_use":419584,"bytes_at_max":9437184},
"memory_limit_bytes":1,"loop":{"packets":{"longest_us":251,"over_1ms":0},
"timers":{"longest_us":40,"over_1ms":0},"timers_cpu":{"longest_us":30,"over_1ms":0},
"control":{"longest_us":1840,"over_1ms":2},"control_cpu":{"longest_us":620,"over_1ms":0}},
"spin":"50us","coalesce":true,"spins":{"packets":170,"timeout":25,"gave_way":3},
"ring":{"in_use":true,"refused":"","frames":7,"calls":1},"shards":[],"drops":{"filter_policy":3}})";

}  // namespace

TEST_CASE("status: a table for people") {
    CHECK(status_text(boost::json::parse(kStatus)) ==
          R"(demo: nsrouter 1.0 (release), up 1d 2h, demo.toml
conntrack: mode auto, 1 of 65536 entries, 409.8 KiB
longest turns: packets 0.25 ms, timers 0.04 ms, control 1.84 ms (2 over 1 ms); without waiting for the processor: timers 0.03 ms, control 0.62 ms
spin 50us, coalesce on; spins ended by: packets 170, timeout 25, gave_way 3

INTERFACE  STATE  MTU   NAMESPACE  RX PACKETS  RX BYTES  TX PACKETS  TX BYTES  DROPPED  ADDRESSES
lan        up     1500  inside     7           1.5 KiB   6           627 B     3        10.0.1.1/24 2001:db8::1/64
wan        down   1400  -          0           0 B       0           0 B       0

DROPPED  REASON
3        filter_policy
)");
}

TEST_CASE("status: the link to [host] has no MTU of its own") {
    std::string with_host = kStatus;
    with_host.replace(with_host.find("\"host\":false"), 12, "\"host\":true");
    with_host.replace(with_host.find("\"mtu\":1500"), 10, "\"mtu\":65535");
    CHECK(status_text(boost::json::parse(with_host)).find("\nlan        up     -     inside") !=
          std::string::npos);
}

TEST_CASE("status: frames that take a system call each, and why") {
    std::string without = kStatus;
    without.replace(without.find("\"in_use\":true"), 13, "\"in_use\":false");
    CHECK(status_text(boost::json::parse(without))
              .find("\na system call for each frame: [router] ring = false\n") !=
          std::string::npos);
    without.replace(without.find("\"refused\":\"\""), 12, R"("refused":"it is forbidden")");
    CHECK(status_text(boost::json::parse(without))
              .find("\na system call for each frame: it is forbidden\n") != std::string::npos);
}

TEST_CASE("status: a table without a limit") {
    std::string unlimited = kStatus;
    unlimited.replace(unlimited.find("\"max\":65536"), 11, "\"max\":0");
    CHECK(status_text(boost::json::parse(unlimited))
              .find("mode auto, 1 entries, no limit, 409.8 KiB\n") != std::string::npos);
}

TEST_CASE("status: several shards, and what they gave to each other") {
    std::string several = kStatus;
    several.replace(
        several.find("\"shards\":[]"), 11,
        R"("shards":[{"connections":120,"handed_over":9,"received":5,"lost":0,"claims":3},
                       {"connections":118,"handed_over":5,"received":9,"lost":1,"claims":0}])");
    CHECK(status_text(boost::json::parse(several))
              .find("\n2 shards with 120, 118 connections; handed over 14 packets, 1 lost\n") !=
          std::string::npos);
    CHECK(status_text(boost::json::parse(kStatus)).find("shards") == std::string::npos);
}

TEST_CASE("status: how fast the table grows, and when it is full") {
    const auto with = [](const std::string& more) {
        std::string status = kStatus;
        status.insert(status.find("\"bytes_at_max\""), more);
        return status_text(boost::json::parse(status));
    };
    CHECK(with("\"growth_per_minute\":120,\"full_in_seconds\":7385,")
              .find("409.8 KiB, +120 a minute, full in 2h 3m\n") != std::string::npos);
    CHECK(with("\"growth_per_minute\":-5,").find("409.8 KiB, -5 a minute\n") != std::string::npos);
    CHECK(with("\"growth_per_minute\":0,").find("409.8 KiB\n") != std::string::npos);
}

TEST_CASE("status: what is not there is said in words") {
    std::string idle = kStatus;
    idle.replace(idle.find("{\"filter_policy\":3}"), 19, "{}");
    idle.replace(idle.find("\"active\":true"), 13, "\"active\":false");
    const std::string text = status_text(boost::json::parse(idle));
    CHECK(text.find("not running: no rule needs it") != std::string::npos);
    CHECK(text.find("nothing dropped\n") != std::string::npos);
    CHECK_THROWS(status_text(boost::json::parse("{}")));
}

}  // namespace nsr::router
