// Events at the control port: what is kept, what a reader is told, and what it is told it missed.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "router/control/event_ring.hpp"
#include "router/control/packet_ring.hpp"
#include "router/http/sse_reader.hpp"
#include "router/tools/conntrack/parse.hpp"
#include "tests/support/bench.hpp"
#include "tests/unit/router/control/port_fixture.hpp"

namespace nsr::router {
namespace {

using test::udp;

// A router, and what its ring keeps for readers.
struct Watched : test::Bench {
    static constexpr std::size_t kRoom = 8;
    EventRing ring{*router, kRoom};

    void query(int port) { from_lan(udp("10.0.0.2:" + std::to_string(port), "192.0.2.7:53")); }
    void queries(int first, int count) {
        for (int port = first; port < first + count; ++port) {
            query(port);
        }
    }
};

// A stream with its reader: "17 NEW", "20 gap {...}".
struct Reader {
    explicit Reader(EventRing& ring, EventStream::Wish wish = {}) : stream(ring, std::move(wish)) {
        if (wish.form == EventStream::Form::Text) {
            lines = true;
        }
    }

    std::vector<std::string> read() {
        seen.clear();
        std::string text;
        while (stream.advance(text, 1000) == http::Piece::More) {
        }
        sse.take(text);
        return seen;
    }

    bool lines = false;
    std::vector<std::string> seen;
    EventStream stream;
    SseReader sse{[this](const SseEvent& event) {
        const std::string what = event.name == "gap" || lines ? " " + event.data : "";
        seen.push_back(sse.last_id() + " " + event.name + what);
    }};
};

using Words = std::vector<std::string>;

EventStream::Wish behind(std::uint64_t number) {
    return {.filter = {}, .form = EventStream::Form::Json, .output = {}, .last = number};
}

}  // namespace

TEST_CASE_FIXTURE(Watched, "events: a reader is told what happens from then on") {
    query(1000);
    Reader reader(ring);
    CHECK(reader.read().empty());
    CHECK(reader.sse.last_id() == "0");
    query(1001);
    query(1002);
    CHECK(reader.read() == Words{"1 NEW", "2 NEW"});
    CHECK(reader.read().empty());
    now += std::chrono::seconds(60);
    while (!router->expire(now, left)) {
    }
    CHECK(reader.read() == Words{"3 DESTROY", "4 DESTROY", "5 DESTROY"});
}

TEST_CASE_FIXTURE(Watched, "events: while nobody listens nothing is kept") {
    queries(1000, 3);
    CHECK(ring.bytes_in_use() == 0);
    CHECK(ring.held().next == 1);
    {
        Reader reader(ring);
        reader.read();
        queries(1010, 20);
        CHECK(ring.bytes_in_use() == kRoom * sizeof(EventRecord));
    }
    ring.stop_if_deserted();
    CHECK(ring.bytes_in_use() == 0);
}

TEST_CASE_FIXTURE(Watched, "events: a stream is taken up where it broke") {
    {
        Reader reader(ring);
        reader.read();
        queries(1000, 3);
        CHECK(reader.read() == Words{"1 NEW", "2 NEW", "3 NEW"});
    }
    queries(1010, 2);
    Reader again(ring, behind(2));
    CHECK(again.read() == Words{"3 NEW", "4 NEW", "5 NEW"});
}

TEST_CASE_FIXTURE(Watched, "events: who is too slow is told how many were lost, and goes on") {
    Reader slow(ring);
    slow.read();
    queries(1000, 20);
    const Words told = slow.read();
    REQUIRE(told.size() == 1 + kRoom);
    CHECK(told[0] == R"(12 gap {"lost":12,"from":1,"to":12,"reason":"overrun"})");
    CHECK(told[1] == "13 NEW");
    CHECK(told.back() == "20 NEW");
}

TEST_CASE_FIXTURE(Watched, "events: what nobody was there to see is a gap of unknown size") {
    {
        Reader reader(ring);
        reader.read();
        query(1000);
        CHECK(reader.read() == Words{"1 NEW"});
    }
    ring.stop_if_deserted();
    queries(1010, 5);
    Reader again(ring, behind(1));
    CHECK(again.read() == Words{R"(2 gap {"lost":null,"from":2,"to":2,"reason":"unwatched"})"});
    query(1020);
    CHECK(again.read() == Words{"3 NEW"});
}

TEST_CASE_FIXTURE(Watched, "events: the number of another life of the router is told as such") {
    Reader reader(ring, behind(1000));
    CHECK(reader.read() == Words{R"(0 gap {"lost":null,"from":0,"to":0,"reason":"restarted"})"});
    query(1000);
    CHECK(reader.read() == Words{"1 NEW"});
}

TEST_CASE_FIXTURE(Watched, "events: a reader of few events need not hear of the others again") {
    EventStream::Wish wish;
    wish.filter.filter = parse_conntrack_args("-E -p tcp")->filter;
    Reader picky(ring, wish);
    picky.read();
    queries(1000, 7);
    CHECK(picky.read().empty());
    CHECK(picky.sse.last_id() == "7");
}

TEST_CASE_FIXTURE(Watched, "events: nf_conntrack_events 2 is on while somebody listens") {
    pipeline::Settings settings = router->settings();
    settings.conntrack.events = 2;
    router->configure(settings);
    query(1000);
    {
        Reader reader(ring);
        reader.read();
        from_wan(udp("192.0.2.7:53", "10.0.0.2:1000"));  // began when nobody listened
        CHECK(reader.read().empty());
        query(1001);
        CHECK(reader.read() == Words{"1 NEW"});
        settings.conntrack.events = 0;
        router->configure(settings);
        query(1002);
        CHECK(reader.read().empty());
    }
}

TEST_CASE_FIXTURE(Watched, "events: text as the tool has it, with who asked for a change") {
    EventStream::Wish wish;
    wish.form = EventStream::Form::Text;
    Reader reader(ring, wish);
    reader.lines = true;
    reader.read();
    query(1000);
    CHECK(reader.read() ==
          Words{"1 NEW     [NEW] udp      17 30 src=10.0.0.2 dst=192.0.2.7 sport=1000 dport=53 "
                "[UNREPLIED] src=192.0.2.7 dst=10.0.0.2 sport=53 dport=1000"});
    const auto id = router->conntrack().table().next(std::nullopt);
    router->destroy_connection(*id, now);
    const Words told = reader.read();
    REQUIRE(told.size() == 1);
    CHECK(told[0].find("[DESTROY] udp      17 30 src=10.0.0.2") != std::string::npos);
    CHECK(told[0].find(" [USERSPACE] portid=") != std::string::npos);
}

TEST_CASE("events: a stream cut anywhere is read the same") {
    const std::string text =
        "retry: 1000\n\nid: 4\n\n: a comment\nid: 5\nevent: NEW\ndata: one\ndata: two\n\nid: 6\n";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        Words seen;
        SseReader reader([&](const SseEvent& event) { seen.push_back(event.name + event.data); });
        reader.take(std::string_view(text).substr(0, cut));
        reader.take(std::string_view(text).substr(cut));
        CHECK(seen == Words{"NEWone\ntwo"});
        CHECK(reader.last_id() == "5");
        reader.restart();
        reader.take("data: three\n\n");
        CHECK(seen.back() == "three");
    }
}

TEST_CASE("events: what is asked for wrongly is refused in words") {
    PortFixture ported;
    const auto answer = [&](std::string query) {
        http::Request request;
        request.method = "GET";
        request.path = "/events";
        request.caller = {0, true};
        const std::size_t equals = query.find('=');
        request.query[query.substr(0, equals)] = query.substr(equals + 1);
        return ported.port().handle(request);
    };
    CHECK(answer("format=xml").body == "format is one of json, text, not \"xml\"\n");
    CHECK(answer("output=id").body == "output is of format=text\n");
    CHECK(answer("event-mask=OLD").status == 400);
    CHECK(answer("last_event_id=-1").body ==
          "last_event_id is the number of an event, not \"-1\"\n");
    CHECK(answer("sport=x").status == 400);
    CHECK(answer("event-mask=NEW,EXP_NEW").status == 200);
    CHECK(answer("proto=tcp").content_type == "text/event-stream");
}

TEST_CASE("NFLOG: packets of a group go to those who listen to it, as much of them as is wanted") {
    test::Bench bench(
        "*filter\n-A FORWARD -p udp -j NFLOG --nflog-group 3 --nflog-prefix dns --nflog-size 28\n"
        "-A FORWARD -p udp -j NFLOG --nflog-group 4\nCOMMIT\n");
    PacketRing ring(*bench.router, {.packets = 4, .bytes = 1000});
    const auto query = [&] {
        bench.from_lan(udp("10.0.0.2:1000", "192.0.2.7:53").data("question"));
    };
    query();
    std::string text;
    {
        PacketStream three(ring, {.group = 3});
        CHECK(three.advance(text, 1000) == http::Piece::More);
        query();
        CHECK(three.advance(text, 1000) == http::Piece::More);
        CHECK(text.find("\"prefix\":\"dns\",\"hook\":\"FORWARD\",\"in\":\"lan\",\"out\":\"wan\"") !=
              std::string::npos);
        CHECK(text.find("\"length\":36,\"packet\":\"45000024") != std::string::npos);
        CHECK(ring.held().next - ring.held().first == 1);

        PacketStream capture(ring, {.group = 4, .form = PacketStream::Form::Pcap});
        std::string bytes;
        CHECK(capture.advance(bytes, 1000) == http::Piece::More);
        CHECK(bytes.size() == 24);
        query();
        CHECK(capture.advance(bytes, 1000) == http::Piece::More);
        CHECK(bytes.size() == 24 + 16 + 36);
        for (int i = 0; i < 10; ++i) {
            query();
        }
        CHECK(ring.held().next - ring.held().first == 4);
        text.clear();
        CHECK(three.advance(text, 100'000) == http::Piece::More);
        CHECK(text.find("event: gap") != std::string::npos);
    }
    CHECK(ring.held().first == ring.held().next);
}

}  // namespace nsr::router
