#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/conntrack/record/told.hpp"
#include "tests/unit/conntrack/conntrack_fixture.hpp"

using namespace nsr;
using namespace nsr::conntrack;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

struct Told {
    ConnId id;
    std::uint32_t bits;
    std::uint32_t status;  // of the record, when it was told
    friend bool operator==(const Told&, const Told&) = default;
};

class Listener final : public EventSubscriber {
  public:
    void conntrack_event(const Event& event) override {
        told.push_back({event.id, event.bits, event.conntrack.table()[event.id].status});
    }
    void expectation_event(const ExpectationEvent& event) override {
        expected.push_back(event.ends ? "ends" : "made");
    }
    // The bits of what was told since the last call.
    std::vector<std::uint32_t> take() {
        std::vector<std::uint32_t> bits;
        std::transform(told.begin(), told.end(), std::back_inserter(bits),
                       [](const Told& each) { return each.bits; });
        told.clear();
        return bits;
    }

    std::vector<Told> told;
    std::vector<std::string> expected;
};

using Bits = std::vector<std::uint32_t>;

struct Heard : Firewall {
    explicit Heard(const Settings& settings = {}) : Firewall(settings) {
        conntrack.subscribe(listener);
    }
    Listener listener;
};

PacketBuilder query(Port port = 4000) {
    return udp("10.0.0.2:" + std::to_string(port), "192.0.2.1:53");
}

PacketBuilder answer(Port port = 4000) {
    return udp("192.0.2.1:53", "10.0.0.2:" + std::to_string(port));
}

}  // namespace

TEST_CASE_FIXTURE(Heard, "events: a life from NEW to DESTROY, one message a packet") {
    pass(query());
    pass(query());
    pass(answer());
    wait(3s);
    pass(query());
    wait(181s);
    CHECK(listener.take() == Bits{event::kNew, event::kReply, event::kAssured, event::kDestroy});
}

TEST_CASE_FIXTURE(Heard, "events: what a packet changes is told when it is through, not before") {
    pass(query());
    listener.take();
    Packet reply = enter(answer());
    conntrack.set_mark(reply.meta.conn, 7);
    CHECK(listener.take().empty());
    CHECK(conntrack.confirm(reply, now).accepted());
    CHECK(listener.take() == Bits{event::kReply | event::kMark});
}

TEST_CASE_FIXTURE(Heard,
                  "events: those of a dropped packet go with the next one of the connection") {
    pass(query(1));
    pass(query(2));
    listener.take();
    Packet dropped = enter(answer(1));
    conntrack.release(dropped);
    pass(answer(2));  // of another connection
    CHECK(listener.take() == Bits{event::kReply});
    pass(query(1));
    CHECK(listener.take() == Bits{event::kReply});
    pass(query(1));
    CHECK(listener.take().empty());
}

TEST_CASE_FIXTURE(Heard, "events: a connection that was never confirmed is nobody's business") {
    Packet dropped = enter(query());
    conntrack.set_mark(dropped.meta.conn, 7);
    conntrack.release(dropped);
    pass(query(2));
    CHECK(listener.take() == Bits{event::kNew});
}

TEST_CASE_FIXTURE(Heard, "events: a reset that kills is an end, told at once and once") {
    pass(tcp("10.0.0.2:4000", "192.0.2.1:80").syn());
    listener.take();
    Packet reset = enter(tcp("192.0.2.1:80", "10.0.0.2:4000").rst().ack(1));
    REQUIRE(listener.told.size() == 1);
    CHECK((listener.told[0].status & status::kSeenReply) == 0);
    CHECK(listener.take() == Bits{event::kDestroy});
    CHECK(conntrack.confirm(reset, now).accepted());
    CHECK(listener.take().empty());
    CHECK(conntrack.table().size() == 0);
}

TEST_CASE_FIXTURE(Heard, "events: a mark that stays the same is no event") {
    pass(query());
    listener.take();
    Packet again = enter(query());
    conntrack.set_mark(again.meta.conn, 0);
    CHECK(conntrack.confirm(again, now).accepted());
    CHECK(listener.take().empty());
}

TEST_CASE_FIXTURE(Heard, "events: a change from outside is told as one, whatever it changes") {
    pass(query());
    listener.take();
    Change change;
    change.mark = {0x50, 0xf0};
    change.timeout_seconds = 100;
    change.status = status::kAssured | status::kDying;  // DYING is not ours to set
    CHECK(conntrack.update(*only(), change, now).ok());
    CHECK(listener.take() == Bits{event::kChange});
    CHECK(entry().mark == 0x50);
    CHECK(seconds() == 100);
    CHECK(assured());
    CHECK_FALSE(entry().has(status::kDying));
    CHECK(conntrack.update(*only(), {.status = status::kFixedTimeout}, now).ok());
    listener.take();
    const Change later{.mark = Change::MarkChange{1}, .timeout_seconds = 5};
    CHECK(conntrack.update(*only(), later, now).error() == Refusal::NotPermitted);
    CHECK(entry().mark == 0x50);
    CHECK(listener.take().empty());
}

TEST_CASE_FIXTURE(Heard, "events: every end is told, whoever makes it") {
    for (Port port = 1; port <= 4; ++port) {
        pass(query(port));
    }
    listener.take();
    conntrack.destroy(*conntrack.table().next(std::nullopt), now);
    CHECK(listener.take() == Bits{event::kDestroy});
    conntrack.flush(now);
    CHECK(listener.take() == Bits(3, event::kDestroy));
}

TEST_CASE("events: early drop is an end") {
    Heard wall(Settings{.max = 1});
    wall.pass(query(1));
    wall.pass(query(2));
    CHECK(wall.listener.take() == Bits{event::kNew, event::kDestroy, event::kNew});
}

// nf_conntrack_events says whether a connection carries events when it is made.
TEST_CASE("events: nf_conntrack_events 0 never, 1 always, 2 while somebody listens") {
    const auto heard_of_answer = [](std::uint32_t at_birth, bool listens_at_birth) {
        Firewall wall(Settings{.events = at_birth});
        Listener listener;
        if (listens_at_birth) {
            wall.conntrack.subscribe(listener);
        }
        wall.pass(query());
        if (!listens_at_birth) {
            wall.conntrack.subscribe(listener);
        }
        listener.take();
        wall.pass(answer());
        wall.conntrack.unsubscribe(listener);
        return !listener.told.empty();
    };
    CHECK_FALSE(heard_of_answer(0, true));
    CHECK(heard_of_answer(1, true));
    CHECK(heard_of_answer(1, false));
    CHECK(heard_of_answer(2, true));
    CHECK_FALSE(heard_of_answer(2, false));
}

TEST_CASE_FIXTURE(Heard, "events: every subscriber hears them until it leaves") {
    Listener other;
    conntrack.subscribe(other);
    pass(query());
    conntrack.unsubscribe(listener);
    pass(answer());
    conntrack.unsubscribe(other);
    wait(200s);
    CHECK(listener.take() == Bits{event::kNew});
    CHECK(other.take() == Bits{event::kNew, event::kReply});
}

// raw: -j CT --ctevents new,destroy
TEST_CASE_FIXTURE(Heard, "events: a connection may tell some only") {
    Packet first = query().packet(pool);
    REQUIRE(dissect(first).accepted());
    first.meta.ct_template = true;
    first.meta.ct_events = event::kNew | event::kDestroy;
    REQUIRE(conntrack.track(first, now).accepted());
    CHECK(conntrack.confirm(first, now).accepted());
    pass(answer());
    CHECK(listener.take() == Bits{event::kNew});
    wait(200s);
    CHECK(listener.take() == Bits{event::kDestroy});
}

// What a helper that follows `master` would announce.
namespace {

using Words = std::vector<std::string>;

struct Announcing : Heard {
    // `mask`: of CT --ctevents and --expevents
    ConnId open(std::uint32_t mask) {
        Packet first = tcp("10.0.0.2:4000", "192.0.2.1:21").syn().packet(pool);
        REQUIRE(dissect(first).accepted());
        first.meta.ct_template = true;
        first.meta.ct_events = told(mask) & event::kNameable;
        first.meta.ct_helper = static_cast<std::uint8_t>(HelperId::Ftp) & 0x3f;
        REQUIRE(conntrack.track(first, now).accepted());
        CHECK(conntrack.confirm(first, now).accepted());
        return first.meta.conn;
    }
    void announce(ConnId master) {
        const ExpectedFlow flow{.protocol = proto::kTcp,
                                .source = *parse_address("192.0.2.1"),
                                .destination = *parse_address("10.0.0.2"),
                                .destination_port = 5000};
        REQUIRE(conntrack.expect_related(expect(master, flow), now).ok());
    }
};

}  // namespace

TEST_CASE_FIXTURE(Announcing, "events: an expectation is made and ends, be it with its master") {
    const ConnId master = open(0);
    announce(master);
    CHECK(listener.expected == Words{"made"});
    conntrack.flush_expectations(now);
    CHECK(listener.expected == Words{"made", "ends"});
    announce(master);
    conntrack.destroy(master, now);
    CHECK(listener.expected == Words{"made", "ends", "made", "ends"});
    CHECK(listener.take().back() == event::kDestroy);
}

// raw: -j CT --ctevents destroy --expevents new. kernel: nf_ct_ecache_ext_add
TEST_CASE_FIXTURE(Announcing, "events: of expectations a rule may let only the beginning be told") {
    const ConnId master = open(event::kDestroy | event::kExpectNew);
    announce(master);
    conntrack.destroy(master, now);
    CHECK(listener.expected == Words{"made"});
    CHECK(listener.take() == Bits{event::kDestroy});
}

TEST_CASE_FIXTURE(Announcing,
                  "events: a rule that names some of a connection's leaves out others") {
    const ConnId told_of_its_end = open(event::kDestroy);
    announce(told_of_its_end);
    CHECK(listener.expected.empty());
    conntrack.destroy(told_of_its_end, now);
    CHECK(listener.take() == Bits{event::kDestroy});
}

// raw: -j CT --ctevents secmark
TEST_CASE_FIXTURE(Announcing, "events: a rule that names what never happens is silent") {
    const ConnId silent = open(event::kSecMark);
    announce(silent);
    conntrack.destroy(silent, now);
    CHECK(listener.expected.empty());
    CHECK(listener.take().empty());
}

// raw: -j CT --expevents new
TEST_CASE_FIXTURE(Announcing, "events: who may tell of expectations only is silent about itself") {
    announce(open(event::kExpectNew));
    CHECK(listener.expected == Words{"made"});
    CHECK(listener.take().empty());
}
