#include <doctest/doctest.h>

#include <array>
#include <set>
#include <vector>

#include "tests/unit/conntrack/table/table_fixture.hpp"

using namespace nsr;
using namespace nsr::conntrack;
using namespace nsr::conntrack::testing;

namespace {

bool finds(const Table& table, const Tuple& tuple, ConnId id, Direction direction, Zone zone = 0,
           Jiffies now = 0) {
    const std::optional<Hit> hit = table.find(tuple, zone, now);
    return hit && hit->id == id && hit->direction == direction;
}

}  // namespace

TEST_CASE("table: an untranslated connection is found by its question and its answer") {
    Table table(kKey, 1024);
    const Tuple question = tcp({inside(2), 40000}, {outside(7), 80});
    const ConnId id = add(table, question);
    CHECK(table.size() == 1);
    CHECK(finds(table, question, id, Direction::Original));
    CHECK(finds(table, reversed(question), id, Direction::Reply));
    CHECK_FALSE(table.find(udp({inside(2), 40000}, {outside(7), 80}), 0, 0));
    CHECK_FALSE(table.find(tcp({inside(2), 80}, {outside(7), 40000}), 0, 0));
    CHECK(table.tuple(id, Direction::Original) == question);
    CHECK(table.tuple(id, Direction::Reply) == reversed(question));
    table.erase(id);
    CHECK_FALSE(table.find(question, 0, 0));
    CHECK(table.size() == 0);
}

TEST_CASE("table: a translated connection is found by its own two tuples and no others") {
    Table table(kKey, 1024);
    const Tuple original = tcp({inside(2), 40000}, {outside(7), 80});
    const Tuple reply = tcp({outside(7), 80}, {IpAddress::v4(192, 0, 2, 1), 40000});
    const ConnId id = add(table, {original, reply});
    CHECK(finds(table, original, id, Direction::Original));
    CHECK(finds(table, reply, id, Direction::Reply));
    CHECK_FALSE(table.find(reversed(original), 0, 0));
    CHECK_FALSE(table.find(reversed(reply), 0, 0));
    table.erase(id);
    CHECK_FALSE(table.find(reply, 0, 0));
}

TEST_CASE("table: a tuple that is its own reverse is the original") {
    Table table(kKey, 1024);
    const Tuple self = udp({inside(2), 500}, {inside(2), 500});
    const ConnId id = add(table, self);
    CHECK(finds(table, self, id, Direction::Original));
    table.erase(id);
    CHECK_FALSE(table.find(self, 0, 0));
}

TEST_CASE("table: echo request and reply are one connection, timestamps another") {
    Table table(kKey, 1024);
    const Tuple ping = echo(inside(2), outside(7), 77);
    const ConnId id = add(table, ping);
    CHECK(finds(table, echo(outside(7), inside(2), 77, 0), id, Direction::Reply));
    CHECK_FALSE(table.find(echo(outside(7), inside(2), 77, 8), 0, 0));
    CHECK_FALSE(table.find(echo(inside(2), outside(7), 78), 0, 0));
    Tuple stamp = echo(inside(2), outside(7), 77, 13);
    Tuple stamped = echo(outside(7), inside(2), 77, 14);
    const ConnId other = add(table, {stamp, stamped});
    CHECK(finds(table, stamped, other, Direction::Reply));
    CHECK(finds(table, ping, id, Direction::Original));
}

TEST_CASE("table: IPv6 connections differ in every bit of their addresses") {
    Table table(kKey, 1024);
    const IpAddress a = IpAddress::v6(0x20010db8, 0, 0, 1);
    const IpAddress b = IpAddress::v6(0x20010db8, 0, 0, 2);
    const Tuple question = udp({a, 1000}, {b, 53});
    const ConnId id = add(table, question);
    CHECK(finds(table, question, id, Direction::Original));
    CHECK(finds(table, reversed(question), id, Direction::Reply));
    CHECK(table.tuple(id, Direction::Reply) == reversed(question));
    for (std::size_t word = 0; word < 4; ++word) {
        Tuple near = question;
        near.source.words[word] ^= 0x100;
        CHECK_FALSE(table.find(near, 0, 0));
        near = question;
        near.destination.words[word] ^= 1;
        CHECK_FALSE(table.find(near, 0, 0));
    }
}

TEST_CASE("table: zones keep equal tuples apart, also when only one direction has one") {
    Table table(kKey, 1024);
    const Tuple question = udp({inside(2), 1000}, {outside(7), 53});
    const ConnId plain = add(table, question);
    const ConnId zoned = add(table, {question, reversed(question), 30 * kSecond, 5});
    CHECK(finds(table, question, plain, Direction::Original, 0));
    CHECK(finds(table, question, zoned, Direction::Original, 5));
    CHECK(finds(table, reversed(question), zoned, Direction::Reply, 5));
    CHECK_FALSE(table.find(question, 6, 0));

    const Tuple other = udp({inside(3), 1000}, {outside(7), 53});
    const ConnId half = add(table, {other, reversed(other), 30 * kSecond, 5, true, false});
    CHECK(finds(table, other, half, Direction::Original, 5));
    CHECK(finds(table, reversed(other), half, Direction::Reply, 0));
    CHECK_FALSE(table.find(other, 0, 0));
    CHECK_FALSE(table.find(reversed(other), 5, 0));
    table.erase(half);
    CHECK_FALSE(table.find(reversed(other), 0, 0));
}

TEST_CASE("table: an unconfirmed record counts but is not found") {
    Table table(kKey, 1024);
    const Tuple question = udp({inside(2), 1000}, {outside(7), 53});
    const ConnId id = prepare(table, {question, reversed(question)});
    CHECK(table.size() == 1);
    CHECK_FALSE(table.find(question, 0, 0));
    CHECK_FALSE(table.next(std::nullopt));
    CHECK_FALSE(table.next_deadline());
    table.erase(id);
    CHECK(table.size() == 0);
}

TEST_CASE("table: of two records with one tuple only the first is confirmed") {
    Table table(kKey, 1024);
    const Tuple question = udp({inside(2), 1000}, {outside(7), 53});
    const ConnId first = prepare(table, {question, reversed(question)});
    const ConnId second = prepare(table, {question, reversed(question)});
    CHECK(table.insert(first, 0));
    CHECK_FALSE(table.insert(second, 0));
    CHECK(finds(table, question, first, Direction::Original));
    // Its reply tuple alone is enough to be refused.
    const Tuple elsewhere = udp({inside(9), 1000}, {outside(7), 53});
    const ConnId third = prepare(table, {elsewhere, reversed(question)});
    CHECK_FALSE(table.insert(third, 0));
    CHECK(table.set_tuple(third, Direction::Reply, reversed(elsewhere)));
    CHECK(table.insert(third, 0));
    CHECK(table.size() == 3);
}

TEST_CASE("table: nobody is found past his deadline, and his tuple is free again") {
    Table table(kKey, 1024);
    const Tuple question = udp({inside(2), 1000}, {outside(7), 53});
    const ConnId old = add(table, question, 100);
    CHECK(table.find(question, 0, 99));
    CHECK_FALSE(table.find(question, 0, 100));
    CHECK(table.taken(question, 0, ConnId::None, 99));
    CHECK_FALSE(table.taken(question, 0, ConnId::None, 100));
    const ConnId young = add(table, question, 300, 100);
    CHECK(finds(table, question, young, Direction::Original, 0, 100));
    table.erase(old);
    CHECK(finds(table, question, young, Direction::Original, 0, 100));
}

TEST_CASE("table: a tuple is taken by others, not by oneself or a twin of the same flow") {
    Table table(kKey, 1024);
    const Tuple question = udp({inside(2), 1000}, {outside(7), 53});
    const Tuple reply = udp({outside(7), 53}, {IpAddress::v4(192, 0, 2, 1), 1000});
    const ConnId id = add(table, {question, reply});
    CHECK(table.taken(reply, 0, ConnId::None, 0));
    CHECK_FALSE(table.taken(reply, 0, id, 0));
    CHECK_FALSE(table.taken(reply, 1, ConnId::None, 0));
    const Tuple elsewhere = udp({inside(3), 1000}, {outside(7), 53});
    const ConnId other = prepare(table, {elsewhere, reversed(elsewhere)});
    CHECK(table.taken(reply, 0, other, 0));
    const ConnId twin = prepare(table, {question, reversed(question)});
    CHECK_FALSE(table.taken(reply, 0, twin, 0));
}

TEST_CASE("table: a side record is made on demand and cleared for the next owner") {
    Table table(kKey, 1024);
    const ConnId id = add(table, udp({inside(2), 1000}, {outside(7), 53}));
    CHECK(table.extra(id) == nullptr);
    table.need_extra(id)->counters[0].packets = 7;
    CHECK(table.extra(id)->counters[0].packets == 7);
    CHECK(table.need_extra(id) == table.extra(id));
    const std::size_t before = table.bytes_in_use();
    table.erase(id);
    const ConnId next = add(table, udp({inside(2), 1001}, {outside(7), 53}));
    CHECK(table.extra(next) == nullptr);
    CHECK(table.need_extra(next)->counters[0].packets == 0);
    CHECK((table.extra(next)->zone_original == 1));
    CHECK(table.bytes_in_use() == before);
}

TEST_CASE("table: a walk sees every record that lives throughout, once") {
    Table table(kKey, 64);
    std::set<ConnId> staying;
    std::set<ConnId> leaving;
    for (std::uint16_t port = 1; port <= 1000; ++port) {
        const ConnId id = add(table, udp({inside(2), port}, {outside(7), 53}));
        (port % 3 == 0 ? leaving : staying).insert(id);
    }
    std::set<ConnId> seen;
    std::uint16_t port = 2000;
    for (auto at = table.next(std::nullopt); at; at = table.next(at)) {
        CHECK(seen.insert(*at).second);
        if (!leaving.empty()) {
            table.erase(*leaving.begin());
            leaving.erase(leaving.begin());
            add(table, udp({inside(2), ++port}, {outside(7), 53}));
        }
    }
    for (const ConnId id : staying) {
        CHECK(seen.contains(id));
    }
}

TEST_CASE("table: when memory is out, records are refused and what is there goes on") {
    auto file = std::make_shared<File>();
    file->most_blocks = 1;
    Table table(kKey, 64, std::make_unique<FileMemory>(file));
    std::size_t count = 0;
    std::optional<ConnId> last;
    while (const std::optional<ConnId> id = table.allocate()) {
        last = id;
        ++count;
    }
    CHECK(count == File::kBytes / sizeof(Connection));
    table.erase(*last);
    CHECK(table.allocate() == last);
}

TEST_CASE("table: the promised memory per connection, at every size of the table") {
    for (const bool translated : {false, true}) {
        Table table(kKey, 64);
        const double promise = translated ? 144 : 136;
        double worst = 0;
        for (std::uint32_t i = 0; i < 60000; ++i) {
            const auto port = static_cast<std::uint16_t>(i);
            const Tuple question = udp({inside(2), port}, {outside(7), 53});
            const Tuple reply =
                translated ? udp({outside(7), 53}, {outside(9), port}) : reversed(question);
            add(table, {question, reply});
            if (i > 10000) {
                worst = std::max(worst, static_cast<double>(table.bytes_in_use()) / (i + 1));
            }
        }
        // While the index grows, its old and its new half are both there.
        CHECK(worst <= promise + (translated ? 16 : 8));
        for (std::uint16_t port = 0; port < 20000; ++port) {
            table.erase(add(table, tcp({inside(3), port}, {outside(7), 80})));
        }
        CHECK(static_cast<double>(table.bytes_in_use()) / table.size() <= promise);
    }
}

TEST_CASE("table: more lookups may be announced together than lines are asked for together") {
    Table table(kKey, 1024);
    std::vector<Tuple> questions;
    std::vector<Table::Upcoming> upcoming;
    for (std::uint16_t port = 1; port <= 300; ++port) {
        questions.push_back(tcp({inside(2), port}, {outside(7), 80}));
        upcoming.push_back({table.hash_of(questions.back(), 0), true});
        add(table, questions.back());
    }
    table.prefetch(upcoming);
    for (std::size_t i = 0; i < questions.size(); ++i) {
        const std::optional<Hit> hit = table.find_hashed(questions[i], 0, upcoming[i].hash, 0);
        REQUIRE(hit);
        CHECK(table.tuple(hit->id, Direction::Original) == questions[i]);
    }
}
