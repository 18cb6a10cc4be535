// A capture of what has passed already.
#include "router/observe/past.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <sstream>
#include <string>
#include <vector>

#include "router/capture/capture.hpp"
#include "tests/support/bench.hpp"
#include "tests/support/kept_frames.hpp"

namespace nsr::router {
namespace {

using namespace nsr::test;

struct Passed {
    Passed() {
        bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.7:80").syn());
        bench.now += std::chrono::seconds(10);
        bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53").payload(500));
        bench.from_lan(ping("10.0.0.2", "10.0.0.1"));
    }

    // `piece` bytes at a time.
    std::vector<KeptFrame> told(Past::Wish wish, std::size_t piece = 1) const {
        Past past(*bench.router, std::move(wish));
        std::string text;
        while (past.advance(text, piece)) {
        }
        std::istringstream in(text);
        PcapngReader reader(in);
        std::vector<KeptFrame> frames = kept_frames(reader);
        CHECK(reader.error().empty());
        return frames;
    }

    static Past::Wish wish(const std::string& filter = {}) {
        Past::Wish made;
        auto parsed = Filter::parse(filter);
        REQUIRE(parsed.ok());
        made.filter = *parsed;
        return made;
    }

    Bench bench{
        "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"
        "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -p tcp -j ACCEPT\n"
        "-A FORWARD -p udp -j DROP\nCOMMIT\n",
        Family::Ipv4,
        {.tracking = TrackingMode::On, .history_bytes = std::size_t{1} << 20}};
};

}  // namespace

TEST_CASE("past: each packet as it came and as it left, with what became of it") {
    const Passed passed;
    const auto frames = passed.told(Passed::wish());
    REQUIRE(frames.size() == 6);
    CHECK(frames[0].interface == "lan");
    CHECK(frames[0].comment ==
          "id=1 in; left by wan; state NEW; source 10.0.0.2:4000 -> 192.0.2.1:4000");
    CHECK(frames[1].interface == "wan");
    CHECK(frames[1].comment.find("id=1 out; left by wan") == 0);
    CHECK(frames[1].bytes[12] == 192);
    CHECK(frames[2].comment ==
          "id=2 in; dropped: rule_drop at FORWARD filter; state NEW; rule given:7:4 -A FORWARD "
          "-p udp -j DROP");
    CHECK(frames[2].bytes.size() == pipeline::PastPacket::kHeadBytes);
    CHECK(frames[2].original_length == 528);
    CHECK(frames[3].comment.find("id=3 in; delivered; state NEW") == 0);
    CHECK(frames[4].interface == "router");
    CHECK(frames[4].comment.find("id=4 because of 3 in; left by lan") == 0);
    CHECK(frames[5].comment.find("id=4 because of 3 out; left by lan") == 0);
    CHECK(frames[0].time_ns == 1000'000'000'000);
    CHECK(frames[2].time_ns == 1010'000'000'000);
}

TEST_CASE("past: since when, how many, which ones") {
    const Passed passed;
    Past::Wish lately = Passed::wish();
    lately.since = passed.bench.now - std::chrono::seconds(5);
    CHECK(passed.told(std::move(lately)).size() == 4);
    Past::Wish one = Passed::wish();
    one.count = 1;
    CHECK(passed.told(std::move(one)).size() == 2);
    CHECK(passed.told(Passed::wish("udp port 53")).size() == 1);
    CHECK(passed.told(Passed::wish("reason:rule_drop")).size() == 1);
    CHECK(passed.told(Passed::wish("state:NEW in:lan verdict:left")).size() == 2);
    CHECK(passed.told(Passed::wish("chain:FORWARD")).size() == 1);
    Past::Wish drops = Passed::wish();
    drops.form.drops = true;
    CHECK(passed.told(std::move(drops)).size() == 1);
    Past::Wish by_wan = Passed::wish();
    by_wan.form.interface = "wan";
    CHECK(passed.told(std::move(by_wan)).size() == 1);
}

TEST_CASE("past: what newer packets overwrite while it is read is counted") {
    Bench bench(
        {}, Family::Ipv4,
        {.tracking = TrackingMode::On, .history_bytes = 200 * sizeof(pipeline::PastPacket)});
    const auto send = [&](int packets) {
        for (int i = 0; i < packets; ++i) {
            bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
        }
    };
    send(200);
    Past past(*bench.router, {});
    std::string text;
    REQUIRE(past.advance(text, 1));
    send(150);
    while (past.advance(text, 1 << 20)) {
    }
    CHECK(text.find("left out: 149 packets (newer packets have taken their room)") !=
          std::string::npos);
}

TEST_CASE("past: how long ago") {
    CHECK(parse_ago("30s") == std::chrono::seconds(30));
    CHECK(parse_ago("500ms") == std::chrono::milliseconds(500));
    CHECK(parse_ago("5m") == std::chrono::minutes(5));
    CHECK(parse_ago("24h") == std::chrono::hours(24));
    for (const char* wrong : {"", "s", "30", "0s", "-1s", "25h", "1d", "1.5s", "30 s", "30sec",
                              "030s", "99999999999999999999s", "9223372036854775807m"}) {
        CAPTURE(wrong);
        CHECK_FALSE(parse_ago(wrong).has_value());
    }
}

}  // namespace nsr::router
