// A case in several shards: what one of them alone cannot do is told, too.
#include "tests/oracle/shard_run.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <string>

namespace oracle {

using namespace std::chrono_literals;

TEST_CASE("shards: what one of them cannot do is told") {
    Case one = open_case("udp-accounting");
    REQUIRE(one.error.empty());
    constexpr std::uint32_t kKey = 1;
    CHECK(run_in_shards(one, kKey, Reader::Steered).run.error.empty());
    nsr::router::ReplayEvent event;
    event.at = 40ms;
    event.conntrack = {
        {"-I -s 10.103.71.16 -d 198.51.100.151 -p udp --sport 57921 --dport 3306 "
         "-t 60",
         {"router.toml", 1, 1}}};
    one.config.replay.events = {event};
    const std::string error = run_in_shards(one, kKey, Reader::Steered).run.error;
    CHECK(error.starts_with("shard "));
    CHECK(error.find("Such conntrack exists") != std::string::npos);
    CHECK(error.find("shard ", 1) == std::string::npos);
}

}  // namespace oracle
