// Listeners of a router at work: what they are told, what is left out, and that nobody pays while
// there is none.
#include "router/observe/hub.hpp"

#include <doctest/doctest.h>

#include <boost/json.hpp>
#include <sstream>
#include <string>

#include "router/capture/capture.hpp"
#include "router/observe/capture_form.hpp"
#include "tests/support/bench.hpp"
#include "tests/support/kept_frames.hpp"

namespace nsr::router {
namespace {

using namespace nsr::test;
namespace json = boost::json;

Listener::Wish wish(const std::string& filter = {}, bool as_json = false) {
    Listener::Wish made;
    auto parsed = Filter::parse(filter);
    REQUIRE(parsed.ok());
    made.filter = *parsed;
    made.form = as_json ? json_form(false) : text_form(false);
    return made;
}

struct Live {
    Bench bench{
        "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"
        "*filter\n:FORWARD DROP [0:0]\n-A FORWARD -p tcp -j ACCEPT\nCOMMIT\n"};
    Hub hub{*bench.router};
};

PacketBuilder web() {
    return tcp("10.0.0.2:4000", "192.0.2.7:80").syn();
}
PacketBuilder query() {
    return udp("10.0.0.2:4000", "192.0.2.7:53");
}

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
        ++found;
    }
    return found;
}

}  // namespace

TEST_CASE("hub: a listener reads a packet's way in lines with its number") {
    Live live;
    const auto listener = live.hub.listen(wish());
    CHECK(listener->take() == "# listening: at most 1000 packets a second are told\n");
    live.bench.from_lan(web());
    const std::string text = listener->take();
    CAPTURE(text);
    for (const char* line : {
             "trace id 1 at 1000.000000 in lan: IPv4 10.0.0.2 > 192.0.2.7 ttl=64",
             "trace id 1 PREROUTING conntrack: NEW, connection before: none, now: SYN_SENT "
             "unreplied\n",
             "trace id 1 route: forwarded through wan to 192.0.2.7\n",
             "trace id 1 FORWARD filter: rule 1 of FORWARD matches: -A FORWARD -p tcp -j ACCEPT "
             "(given:6:4) packets 1 bytes 40\n",
             "trace id 1 POSTROUTING nat: source 10.0.0.2:4000 becomes 192.0.2.1:4000\n",
             "trace id 1 POSTROUTING confirm: new connection tcp SYN_SENT 10.0.0.2:4000 > "
             "192.0.2.7:80, answers 192.0.2.7:80 > 192.0.2.1:4000\n",
             "trace id 1 out wan: IPv4 192.0.2.1 > 192.0.2.7 ttl=63",
         }) {
        CAPTURE(line);
        CHECK(text.find(line) != std::string::npos);
    }
    CHECK(listener->take().empty());
}

TEST_CASE("hub: the same as an object a line") {
    Live live;
    const auto listener = live.hub.listen(wish("", true));
    CHECK(listener->take() == "{\"listening\":true,\"rate\":1000}\n");
    live.bench.from_lan(query());
    const json::value told = json::parse(listener->take());
    CHECK(told.at("verdict") == "dropped");
    CHECK(told.at("reason") == "policy_drop");
    CHECK(told.at("in") == "lan");
    const json::array& steps = told.at("steps").as_array();
    const json::value& last = steps.back();
    CHECK(last.at("what") == "dropped");
    CHECK(last.at("hook") == "FORWARD");
    CHECK(last.at("hint").as_string().find("a rule in FORWARD") == 0);
    const json::value& tracked = steps.front();
    CHECK(tracked.at("state") == "NEW");
    CHECK(tracked.at("before").is_null());
    CHECK(tracked.at("after").at("protocol") == "udp");
}

TEST_CASE("hub: filters choose by the packet and by what became of it") {
    Live live;
    const auto drops = live.hub.listen(wish("reason:any"));
    const auto tcp_only = live.hub.listen(wish("tcp"));
    live.bench.from_lan(web());
    live.bench.from_lan(query());
    CHECK(count(drops->take(), " in lan: ") == 1);
    const std::string text = tcp_only->take();
    CHECK(count(text, " in lan: ") == 1);
    CHECK(text.find("TCP 4000>80") != std::string::npos);
}

TEST_CASE("hub: what is more than a listener may be told is counted, and it is told so") {
    Live live;
    Listener::Wish few = wish();
    few.limits.packets_a_second = 2;
    const auto listener = live.hub.listen(std::move(few));
    int woken = 0;
    live.hub.on_output = [&] { ++woken; };
    for (int i = 0; i < 5; ++i) {
        live.bench.from_lan(query());
    }
    const std::string text = listener->take();
    CHECK(count(text, " in lan: ") == 2);
    CHECK(text.find("# left out: 3 packets (more than may be told in a second)\n") !=
          std::string::npos);
    CHECK(woken == 1);  // something was left out; what was told first waited behind the greeting
    live.bench.now += std::chrono::seconds(1);
    live.bench.from_lan(query());
    CHECK(count(listener->take(), " in lan: ") == 1);
}

TEST_CASE("hub: a listener that does not read loses packets, and nothing grows") {
    Live live;
    Listener::Wish small = wish();
    small.limits.bytes = 2000;
    const auto listener = live.hub.listen(std::move(small));
    for (int i = 0; i < 50; ++i) {
        live.bench.from_lan(query());
    }
    const std::string text = listener->take();
    CHECK(text.size() < 2200);
    CHECK(text.find("packets (the listener does not read fast enough)") != std::string::npos);
}

TEST_CASE("hub: a listener may want so many packets and no more") {
    Live live;
    Listener::Wish two = wish();
    two.limits.packets = 2;
    const auto listener = live.hub.listen(std::move(two));
    for (int i = 0; i < 3; ++i) {
        CHECK_FALSE(listener->over());
        live.bench.from_lan(query());
    }
    CHECK_FALSE(listener->over());
    CHECK(count(listener->take(), " in lan: ") == 2);
    CHECK(listener->over());
}

TEST_CASE("hub: there is room for so many listeners, and it is free again behind one that left") {
    Live live;
    std::vector<std::shared_ptr<Listener>> listeners;
    for (std::size_t i = 0; i < Hub::kMostListeners; ++i) {
        listeners.push_back(live.hub.listen(wish()));
        REQUIRE(listeners.back() != nullptr);
    }
    CHECK(live.hub.listen(wish()) == nullptr);
    listeners.pop_back();
    CHECK(live.hub.listen(wish()) != nullptr);
}

TEST_CASE("hub: a listener may outlive the router") {
    std::shared_ptr<Listener> listener;
    {
        Live live;
        listener = live.hub.listen(wish());
        live.bench.from_lan(web());
    }
    CHECK_FALSE(listener->take().empty());
    listener.reset();
}

TEST_CASE("hub: who traces sees what a packet causes, whatever the filter says of that") {
    Live live;
    const auto listener = live.hub.listen(wish("udp"));
    live.bench.from_lan(query().ttl(1));
    const std::string text = listener->take();
    CHECK(text.find("trace id 1 causes: trace id 2\n") != std::string::npos);
    CHECK(text.find("because of 1 from the router itself: IPv4 10.0.0.1 > 10.0.0.2") !=
          std::string::npos);
}

TEST_CASE("capture: packets in and out, with what became of them as comment, under one id") {
    Live live;
    Listener::Wish wanted = wish();
    wanted.form = capture_form(*live.bench.router, {});
    const auto listener = live.hub.listen(std::move(wanted));
    live.bench.from_lan(web());
    live.bench.from_lan(query());
    std::istringstream file(listener->take());
    const auto capture = capture_from(file);
    REQUIRE(capture->begin().empty());
    const std::vector<KeptFrame> frames = kept_frames(*capture);
    CHECK(capture->error().empty());
    REQUIRE(frames.size() == 3);
    CHECK(frames[0].interface == "lan");
    CHECK(frames[0].bytes == web().bytes());
    CHECK(frames[0].comment.find("id=1 in; left by wan; state NEW; rule given:6:4 -A FORWARD -p "
                                 "tcp -j ACCEPT; ") == 0);
    CHECK(frames[1].interface == "wan");
    CHECK(frames[1].comment.find("id=1 out; left by wan; ") == 0);
    CHECK(frames[1].comment.find("source 10.0.0.2:4000 -> 192.0.2.1:4000") != std::string::npos);
    CHECK(frames[2].comment == "id=2 in; dropped: policy_drop at FORWARD filter; state NEW");
    CHECK(frames[2].time_ns == 1000'000'000'000);
}

TEST_CASE("capture: only drops, only one interface") {
    Live live;
    Listener::Wish wanted = wish();
    wanted.form = capture_form(*live.bench.router, {"wan", false});
    const auto at_wan = live.hub.listen(std::move(wanted));
    Listener::Wish dropped = wish();
    dropped.form = capture_form(*live.bench.router, {"", true});
    const auto drops = live.hub.listen(std::move(dropped));
    live.bench.from_lan(web());
    live.bench.from_lan(query());
    for (const auto& [listener, interface] : {std::pair(at_wan, "wan"), std::pair(drops, "lan")}) {
        std::istringstream file(listener->take());
        const auto capture = capture_from(file);
        REQUIRE(capture->begin().empty());
        Frame frame;
        REQUIRE(capture->next(frame));
        CHECK(frame.interface == interface);
        CHECK_FALSE(capture->next(frame));
    }
}

}  // namespace nsr::router
