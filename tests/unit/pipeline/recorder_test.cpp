// What is kept of packets that went wrong: where each ended, and the last ones with their reasons.
#include "core/pipeline/recorder.hpp"

#include <doctest/doctest.h>

#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "tests/support/bench.hpp"

using namespace nsr;
using namespace nsr::test;
using pipeline::Record;

namespace {

constexpr const char* kRules =
    "*filter\n:FORWARD DROP [0:0]\n:web - [0:0]\n"
    "-A FORWARD -p tcp -j web\n"
    "-A FORWARD -p icmp -j ACCEPT\n"
    "-A web -p tcp --dport 81 -j REJECT\n"
    "-A web -p tcp --dport 82 -j DROP\n"
    "-A web -j ACCEPT\n"
    "COMMIT\n";

PacketBuilder syn(const char* to) {
    return tcp("10.0.0.2:4000", to).syn().seq(1);
}

std::uint64_t count_at(const Bench& bench, DropReason reason) {
    std::uint64_t sum = 0;
    for (const auto& [place, packets] : bench.router->drop_places().rows()) {
        sum += place.reason == reason ? packets : 0;
    }
    return sum;
}

// Rules in the place of those at work.
void apply(Bench& bench, const char* rules) {
    rules::Ruleset ruleset;
    REQUIRE(rules::parse_save(rules, "given", Family::Ipv4, ruleset).empty());
    bench.router->apply(std::move(ruleset), bench.now);
}

const Record& last(const Bench& bench) {
    const pipeline::Recorder& recorder = bench.router->recorder();
    return recorder[recorder.size() - 1];
}

}  // namespace

TEST_CASE("recorder: accepted packets leave nothing") {
    Bench bench(kRules);
    bench.from_lan(syn("192.0.2.7:80"));
    CHECK(bench.router->recorder().made() == 0);
    CHECK(bench.router->drop_places().rows().empty());
}

TEST_CASE("recorder: a drop knows its hook, its table and its rule") {
    Bench bench(kRules);
    bench.from_lan(syn("192.0.2.7:82"));
    const Record& record = last(bench);
    CHECK(record.number == 1);
    CHECK(record.dropped);
    CHECK(record.place.reason == DropReason::RuleDrop);
    CHECK(record.place.in == bench.lan);
    CHECK(record.out == bench.wan);
    REQUIRE(record.place.in_hook);
    CHECK(record.place.hook == Hook::Forward);
    CHECK(record.place.stage == pipeline::StageId::Filter);
    CHECK(record.info == CtInfo::New);
    CHECK(record.state == "SYN_SENT");
    CHECK(record.length == 40);
    CHECK(record.bytes().size() == 40);
    const auto name = bench.router->name_of_rule(record.place.rule);
    REQUIRE(name);
    CHECK(name->chain == "web");
    CHECK(name->number == 2);
    CHECK(name->where.line == 7);
    CHECK_FALSE(name->gone);
}

TEST_CASE("recorder: a reject is the rule's, whatever its answer met") {
    Bench bench(kRules);
    bench.from_lan(syn("192.0.2.7:81"));
    CHECK(last(bench).place.reason == DropReason::RuleReject);
    CHECK(bench.router->name_of_rule(last(bench).place.rule)->number == 1);
}

TEST_CASE("recorder: a policy has no rule, and what is between hooks has no stage") {
    Bench bench(kRules);
    bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
    CHECK(last(bench).place.reason == DropReason::PolicyDrop);
    CHECK(last(bench).place.rule == RuleId::None);
    CHECK(last(bench).place.hook == Hook::Forward);
    bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53").ttl(1));
    CHECK(last(bench).place.reason == DropReason::TtlExpired);
    CHECK_FALSE(last(bench).place.in_hook);
}

TEST_CASE("recorder: an INVALID packet has the numbers it was measured with, and one record") {
    Bench bench(kRules);
    bench.from_lan(syn("192.0.2.7:80").win(500));
    bench.from_wan(tcp("192.0.2.7:80", "10.0.0.2:4000").syn().seq(1000).ack(2).win(500));
    bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.7:80").seq(2).ack(1001));
    CHECK(bench.router->recorder().made() == 0);
    bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.7:80").seq(900000).ack(1001).payload(10));
    REQUIRE(bench.router->recorder().made() == 1);
    const Record& passed = last(bench);
    CHECK_FALSE(passed.dropped);
    CHECK(passed.invalid());
    CHECK(std::string_view(passed.note.why.data()).find("SEQ is over upper bound") == 0);
    REQUIRE(passed.note.has_tcp);
    CHECK(passed.note.direction == Direction::Original);
    CHECK(passed.note.tcp.seen[0].end == 2);
    CHECK(passed.note.tcp.seen[1].end == 1001);

    rules::Ruleset ruleset;
    REQUIRE(
        rules::parse_save("*filter\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n",
                          "given", Family::Ipv4, ruleset)
            .empty());
    bench.router->apply(std::move(ruleset), bench.now);
    bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.7:80").seq(900000).ack(1001).payload(10));
    REQUIRE(bench.router->recorder().made() == 2);
    CHECK(last(bench).dropped);
    CHECK(last(bench).invalid());
    CHECK(last(bench).place.reason == DropReason::RuleDrop);
    CHECK(std::string_view(last(bench).note.why.data()).find("SEQ is over upper bound") == 0);
}

TEST_CASE("recorder: why a packet is INVALID where the kernel logs nothing") {
    Router::Options options{.tracking = TrackingMode::On};
    options.settings.conntrack.tcp_loose = 0;
    Bench bench("", Family::Ipv4, std::move(options));
    bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.7:80").seq(2).ack(1001));
    CHECK(std::string_view(last(bench).note.why.data()) == "it begins no connection");
    CHECK_FALSE(last(bench).note.has_tcp);
    std::vector<std::uint8_t> cut = udp("10.0.0.2:4000", "192.0.2.7:53").bytes();
    cut.resize(22);
    wire::store16(&cut[2], 22);
    wire::store16(&cut[10], 0);
    wire::store16(&cut[10], wire::checksum({cut.data(), 20}));
    bench.from_lan(cut);
    CHECK(std::string_view(last(bench).note.why.data()) == "its transport header is cut short");
    bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.7:80").syn().bad_checksum());
    CHECK(std::string_view(last(bench).note.why.data()) == "bad checksum");
}

TEST_CASE("recorder: the ring keeps the latest, and numbers go on") {
    Router::Options options{.tracking = TrackingMode::On};
    options.records = 3;
    Bench bench(kRules, Family::Ipv4, std::move(options));
    for (std::uint16_t i = 0; i < 5; ++i) {
        bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53").id(i));
    }
    const pipeline::Recorder& recorder = bench.router->recorder();
    CHECK(recorder.size() == 3);
    CHECK(recorder.made() == 5);
    CHECK(recorder[0].number == 3);
    CHECK(recorder.find(2) == nullptr);
    CHECK(recorder.find(5)->number == 5);
    CHECK(recorder.find(6) == nullptr);
    bench.router->resize_recorder(2);
    CHECK(recorder.find(3) == nullptr);
    CHECK(recorder[0].number == 4);
    bench.router->resize_recorder(0);
    bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
    CHECK(recorder.size() == 0);
}

TEST_CASE("recorder: a connection that was let through is dropped, and let through again") {
    using Change = Record::Change;
    Bench bench;
    const auto& recorder = bench.router->recorder();
    const auto packet = [&] { bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53")); };
    packet();
    bench.from_wan(udp("192.0.2.7:53", "10.0.0.2:4000"));
    CHECK(recorder.made() == 0);

    apply(bench, "*filter\n-A FORWARD -p udp -j DROP\nCOMMIT\n");
    packet();
    CHECK(last(bench).dropped);
    CHECK(last(bench).change == Change::NowDropped);
    packet();
    CHECK(last(bench).dropped);
    CHECK(last(bench).change == Change::None);
    bench.from_lan(udp("10.0.0.2:4001", "192.0.2.7:53"));  // nobody ever let this one through
    CHECK(last(bench).change == Change::None);
    CHECK(recorder.made() == 3);

    apply(bench, "");
    packet();
    CHECK(recorder.made() == 4);
    CHECK_FALSE(last(bench).dropped);
    CHECK(last(bench).change == Change::NowAccepted);
    CHECK(last(bench).conn != ConnId::None);
    CHECK(last(bench).out == bench.wan);
    packet();
    bench.from_lan(udp("10.0.0.2:4001", "192.0.2.7:53"));
    CHECK(recorder.made() == 4);
}

TEST_CASE("recorder: an error about a connection is no packet of it") {
    Bench bench;
    bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
    apply(bench, "*filter\n-A FORWARD -p icmp -j DROP\nCOMMIT\n");
    bench.from_wan(
        ip(1, "192.0.2.7", "10.0.0.2").icmp(3, 3, 0).quoting(udp("10.0.0.2:4000", "192.0.2.7:53")));
    REQUIRE(last(bench).dropped);
    CHECK(last(bench).info == CtInfo::RelatedReply);
    CHECK(last(bench).change == Record::Change::None);
}

TEST_CASE("recorder: a full table tells which connection it gave up") {
    Router::Options options{.tracking = TrackingMode::On};
    options.settings.conntrack.max = 1;
    Bench bench("", Family::Ipv4, std::move(options));
    bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
    CHECK(bench.router->recorder().made() == 0);
    bench.now += std::chrono::seconds(1);
    bench.from_lan(udp("10.0.0.2:4001", "192.0.2.7:53"));
    REQUIRE(bench.router->recorder().made() == 1);
    const Record& record = last(bench);
    CHECK(record.change == Record::Change::Evicted);
    CHECK_FALSE(record.dropped);
    CHECK(record.at == bench.now);
    REQUIRE(record.bytes().size() == 28);
    CHECK(wire::load16(record.bytes().data() + 20) == 4000);
    CHECK(bench.router->conntrack().stats().early_drop == 1);

    // One that an administrator takes away is no eviction.
    conntrack::Table::Cursor cursor;
    std::size_t looks = 1000;
    const auto left = bench.router->conntrack().table().next(cursor, looks);
    REQUIRE(left);
    bench.router->destroy_connection(*left, bench.now);
    CHECK(bench.router->recorder().made() == 1);
}

TEST_CASE("drop places: counted by where, and a rule that has gone is still named") {
    Bench bench(kRules);
    for (int i = 0; i < 3; ++i) {
        bench.from_lan(syn("192.0.2.7:82"));
    }
    bench.from_wan(tcp("192.0.2.7:4000", "10.0.0.2:82").syn());
    CHECK(count_at(bench, DropReason::RuleDrop) == 4);
    CHECK(bench.router->drop_places().rows().size() == 2);
    bench.router->apply({}, bench.now);
    const auto name = bench.router->name_of_rule(last(bench).place.rule);
    REQUIRE(name);
    CHECK(name->gone);
    CHECK(name->chain == "web");
    CHECK(name->number == 2);
    CHECK(name->text == "-A web -p tcp -m tcp --dport 82 -j DROP");
}

TEST_CASE("drop places: every drop that is counted has a place") {
    Bench bench(kRules);
    bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
    bench.from_lan(std::vector<std::uint8_t>{0x15, 0, 0});
    bench.router->egress_failed(bench.wan, DropReason::EgressFailed);
    std::uint64_t by_reason = 0;
    for (const DropReasonRow& row : kDropReasons) {
        by_reason += bench.router->drops().of(row.reason);
    }
    std::uint64_t by_place = 0;
    for (const auto& [place, packets] : bench.router->drop_places().rows()) {
        by_place += packets;
    }
    CHECK(by_reason == 3);
    CHECK(by_place == by_reason);
}
