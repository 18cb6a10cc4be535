// What matches remember between packets, and what they make of the time.
#include "tests/unit/rules/rules_fixture.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;
using rules::TargetVerdict;

namespace {

const PacketBuilder kSyn = tcp("10.0.0.2:40000", "192.0.2.1:80").syn();

}  // namespace

TEST_CASE("limit refills as the kernel's bucket does") {
    Firewall box(
        forward("-A FORWARD -m limit --limit 2/second --limit-burst 2 -j ACCEPT\n"
                "-A FORWARD -j DROP"));
    CHECK(box.accepts(kSyn));
    CHECK(box.accepts(kSyn));
    CHECK(box.drops(kSyn));
    box.wait(496ms);
    CHECK(box.drops(kSyn));
    box.wait(4ms);
    CHECK(box.accepts(kSyn));
    CHECK(box.drops(kSyn));
    box.wait(1h);
    CHECK(box.accepts(kSyn));
    CHECK(box.accepts(kSyn));
    CHECK(box.drops(kSyn));
}

TEST_CASE("every third packet, beginning with the one that --packet names") {
    Firewall box(forward("-A FORWARD -m statistic --mode nth --every 3 --packet 1 -j DROP"));
    std::string story;
    for (int i = 0; i < 7; ++i) {
        story += box.drops(kSyn) ? 'D' : '.';
    }
    CHECK(story == ".D..D..");
}

TEST_CASE("probabilities of none and all are certain, and half is about half") {
    Firewall none(forward("-A FORWARD -m statistic --mode random --probability 0.0 -j DROP"));
    Firewall all(forward("-A FORWARD -m statistic --mode random --probability 1.0 -j DROP"));
    Firewall half(forward("-A FORWARD -m statistic --mode random --probability 0.5 -j DROP"));
    int dropped = 0;
    for (int i = 0; i < 1000; ++i) {
        CHECK_FALSE(none.drops(kSyn));
        CHECK(all.drops(kSyn));
        dropped += half.drops(kSyn) ? 1 : 0;
    }
    CHECK(dropped > 400);
    CHECK(dropped < 600);
}

TEST_CASE("a quota is used up") {
    Firewall box(forward("-A FORWARD -m quota --quota 100 -j ACCEPT\n-A FORWARD -j DROP"));
    CHECK(box.accepts(kSyn));
    CHECK(box.accepts(kSyn));
    CHECK(box.drops(kSyn));
    CHECK(box.drops(udp("10.0.0.2:1", "192.0.2.1:2")));
}

TEST_CASE("recent: the third attempt within a minute is one too many") {
    Firewall box(
        forward("-A FORWARD -m recent --name k --update --seconds 60 --hitcount 3 -j DROP\n"
                "-A FORWARD -m recent --name k --set"));
    const PacketBuilder other = tcp("10.0.0.3:1", "192.0.2.1:2").syn();
    CHECK(box.accepts(kSyn));
    CHECK(box.accepts(kSyn));
    CHECK(box.accepts(kSyn));
    CHECK(box.drops(kSyn));
    CHECK(box.accepts(other));
    box.wait(61s);
    CHECK(box.accepts(kSyn));
}

TEST_CASE("hashlimit keeps a bucket per address and forgets it when it is idle") {
    Firewall box(
        forward("-A FORWARD -m hashlimit --hashlimit-above 1/hour --hashlimit-burst 2"
                " --hashlimit-mode srcip --hashlimit-name h -j DROP"));
    const PacketBuilder other = tcp("10.0.0.3:1", "192.0.2.1:2").syn();
    CHECK(box.accepts(kSyn));
    CHECK(box.accepts(kSyn));
    CHECK(box.drops(kSyn));
    CHECK(box.accepts(other));
    box.wait(59min);
    CHECK(box.drops(kSyn));
    box.wait(61min);  // the unit of its rate, if nothing else is said
    CHECK(box.accepts(kSyn));
}

TEST_CASE("hashlimit keeps a bucket for as many hours as it is told") {
    Firewall box(
        forward("-A FORWARD -m hashlimit --hashlimit-above 1/day --hashlimit-burst 1"
                " --hashlimit-mode srcip --hashlimit-htable-expire 20000000 --hashlimit-name h"
                " -j DROP"));
    CHECK(box.accepts(kSyn));
    CHECK(box.drops(kSyn));
    box.wait(50min);
    CHECK(box.drops(kSyn));
}

TEST_CASE(
    "hashlimit counts bytes: a second's worth, as often as the burst says, then by the second") {
    Firewall box(
        forward("-A FORWARD -m hashlimit --hashlimit-above 1kb/s --hashlimit-burst 2kb"
                " --hashlimit-mode srcip --hashlimit-name h -j DROP"));
    const PacketBuilder large = udp("10.0.0.2:1", "192.0.2.1:2").payload(972);  // 1000 bytes
    CHECK(box.accepts(large));
    CHECK(box.accepts(large));  // the two of the burst
    CHECK(box.accepts(large));
    CHECK(box.drops(large));
    CHECK(box.accepts(udp("10.0.0.3:1", "192.0.2.1:2").payload(972)));
    box.wait(500ms);
    CHECK(box.drops(large));
    box.wait(500ms);
    CHECK(box.accepts(large));
}

TEST_CASE("recent looks back as far as it is told") {
    Firewall box(
        forward("-A FORWARD -m recent --rcheck --seconds 17179870 -j DROP\n"
                "-A FORWARD -m recent --set"));
    CHECK(box.accepts(kSyn));
    box.wait(5s);
    CHECK(box.drops(kSyn));
}

TEST_CASE("connlimit forgets addresses without connections, a few with each packet") {
    Firewall box(forward("-A FORWARD -m connlimit --connlimit-above 2 -j DROP"));
    box.conntrack.set_active(Family::Ipv4, true, box.now);
    const auto opens = [&](const std::string& from) {
        Packet shown = box.packet(udp(from, "192.0.2.1:53"));
        REQUIRE(box.conntrack.track(shown, box.now).accepted());
        CHECK(box.run(shown).verdict == TargetVerdict::Accept);
        REQUIRE(box.conntrack.confirm(shown, box.now).accepted());
    };
    for (int host = 1; host <= 200; ++host) {
        opens("10.0.0." + std::to_string(host) + ":1");
    }
    CHECK(box.program.remembered() == 200);
    box.wait(31s);
    std::size_t before = box.program.remembered();
    for (int packet = 0; packet < 100; ++packet) {
        opens("10.0.0.2:1");
        CHECK(box.program.remembered() + 2 >= before);
        before = box.program.remembered();
    }
    CHECK(before == 1);
}

TEST_CASE("connlimit counts the live connections of an address") {
    Firewall box(forward("-A FORWARD -m connlimit --connlimit-above 2 -j DROP"));
    box.conntrack.set_active(Family::Ipv4, true, box.now);
    const auto opens = [&](std::string_view from) {
        Packet shown = box.packet(udp(from, "192.0.2.1:53"));
        REQUIRE(box.conntrack.track(shown, box.now).accepted());
        if (box.run(shown).verdict == TargetVerdict::Drop) {
            box.conntrack.release(shown);
            return false;
        }
        return box.conntrack.confirm(shown, box.now).accepted();
    };
    CHECK(opens("10.0.0.2:1"));
    CHECK(opens("10.0.0.2:2"));
    CHECK_FALSE(opens("10.0.0.2:3"));
    CHECK_FALSE(opens("10.0.0.2:2"));  // the refused one counts until somebody new comes
    CHECK_FALSE(opens("10.0.0.2:4"));
    CHECK(opens("10.0.0.3:1"));
    box.wait(31s);
    CHECK(opens("10.0.0.2:3"));
}

TEST_CASE("time of day, over midnight too, and days") {
    const auto at = [](std::string_view condition, Duration time) {
        Firewall box(forward("-A FORWARD -m time " + std::string(condition) + " -j DROP"));
        box.now = Instant(time);
        return box.drops(kSyn);
    };
    // 1970-01-01 was a Thursday.
    CHECK(at("--timestart 10:00 --timestop 11:00", 10h + 30min));
    CHECK_FALSE(at("--timestart 10:00 --timestop 11:00", 11h + 1s));
    CHECK(at("--timestart 23:00 --timestop 01:00", 30min));
    CHECK_FALSE(at("--timestart 23:00 --timestop 01:00", 2h));
    CHECK(at("--weekdays Thu", 1h));
    CHECK_FALSE(at("--weekdays Mon,Fri", 1h));
    CHECK(at("--timestart 23:00 --timestop 01:00 --weekdays Thu --contiguous", 24h + 30min));
    CHECK_FALSE(at("--timestart 23:00 --timestop 01:00 --weekdays Thu", 24h + 30min));
    CHECK(at("! --monthdays 2,3", 1h));
    CHECK(at("--datestart 1970-01-02 --datestop 1970-01-03T00:00:00", 36h));
    CHECK_FALSE(at("--datestart 1970-01-02 --datestop 1970-01-03T00:00:00", 49h));
}

TEST_CASE("recent keeps a hundred addresses, and forgets the one it saw least recently") {
    Firewall box(
        forward("-A FORWARD -m recent --rcheck -j DROP\n-A FORWARD -m recent --set -j ACCEPT"));
    const auto host = [](int number) {
        return tcp("10.0." + std::to_string(number / 256) + "." + std::to_string(number % 256) +
                       ":1",
                   "192.0.2.1:2")
            .syn();
    };
    for (int number = 1; number <= 100; ++number) {
        CHECK(box.accepts(host(number)));
    }
    CHECK(box.drops(host(1)));
    CHECK(box.accepts(host(101)));  // takes the place of the first
    CHECK(box.accepts(host(1)));    // which is new again, in the place of the second
    CHECK(box.accepts(host(2)));
    CHECK(box.drops(host(100)));
}

TEST_CASE("hashlimit grows from nothing to its most keys, keeps all of them, and then no more") {
    Firewall box(
        forward("-A FORWARD -m hashlimit --hashlimit-above 1/day --hashlimit-burst 1"
                " --hashlimit-mode srcip,srcport --hashlimit-htable-size 1"
                " --hashlimit-htable-max 3000 --hashlimit-htable-expire 10000"
                " --hashlimit-name h -j DROP"));
    const auto from = [](int port) {
        return udp("10.0.0.2:" + std::to_string(port), "192.0.2.1:2");
    };
    for (int port = 1; port <= 3000; ++port) {
        REQUIRE(box.accepts(from(port)));
    }
    for (int port = 1; port <= 3000; ++port) {
        REQUIRE(box.drops(from(port)));
    }
    CHECK(box.drops(from(3001)));
    CHECK(box.count("FORWARD", 1).substr(0, 5) == "3000:");  // the last one died unmatched
    CHECK(box.drops(from(3002)));
    REQUIRE(box.log.lines.size() == 1);  // not with every packet
    CHECK(box.log.lines[0] == "xt_hashlimit: max count of 3000 reached");
    box.wait(11s);
    for (int packet = 0; packet < 400; ++packet) {  // each looks at eight places
        CHECK(box.accepts(from(4000 + packet)));
    }
    CHECK(box.accepts(from(3001)));
}
