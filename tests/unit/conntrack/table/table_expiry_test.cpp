#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "core/base/random.hpp"
#include "tests/unit/conntrack/table/table_fixture.hpp"

using namespace nsr;
using namespace nsr::conntrack;
using namespace nsr::conntrack::testing;

namespace {

constexpr Jiffies kDay = 86400 * kSecond;

Tuple flow(std::uint32_t number) {
    return udp({IpAddress::v4(0x0a000000 + (number >> 8)), static_cast<std::uint16_t>(number)},
               {outside(7), 53});
}

std::vector<ConnId> collect(Table& table, Jiffies now) {
    std::vector<ConnId> out;
    CHECK(table.collect_expired(now, 1000, out));
    return out;
}

// Runs the clock as the router's timer does: from one announced deadline to the next.
std::vector<std::pair<Jiffies, ConnId>> run(Table& table, Jiffies until) {
    std::vector<std::pair<Jiffies, ConnId>> gone;
    while (const auto next = table.next_deadline()) {
        if (jiffies_until(*next, until) > 0) {
            break;
        }
        for (const ConnId id : collect(table, *next)) {
            gone.emplace_back(*next, id);
            table.erase(id);
        }
    }
    return gone;
}

}  // namespace

TEST_CASE("expiry: a record is due at its deadline, not a jiffy before") {
    Table table(kKey, 64);
    const ConnId id = add(table, flow(1), 7777, 1000);
    CHECK(collect(table, 7776).empty());
    CHECK(jiffies_until(*table.next_deadline(), 7777) <= 0);
    CHECK(collect(table, 7777) == std::vector{id});
    CHECK(collect(table, 7778) == std::vector{id});  // until it is erased
    table.erase(id);
    CHECK_FALSE(table.next_deadline());
}

TEST_CASE("expiry: a record that was given more time is not due before that") {
    Table table(kKey, 64);
    const ConnId id = add(table, flow(1), 100, 0);
    table[id].deadline = 5000;
    CHECK(collect(table, 100).empty());
    CHECK(collect(table, 4999).empty());
    CHECK(collect(table, 5000) == std::vector{id});
    table[id].deadline = 6000;  // even when it was due already
    CHECK(collect(table, 5999).empty());
    CHECK(collect(table, 6000) == std::vector{id});
}

TEST_CASE("expiry: a deadline that was moved nearer is kept once the wheel knows") {
    Table table(kKey, 64);
    const ConnId id = add(table, flow(1), 5 * kDay, 0);
    collect(table, 50);
    table[id].deadline = 60;
    table.deadline_lowered(id, 50);
    CHECK(jiffies_until(*table.next_deadline(), 60) <= 0);
    CHECK(collect(table, 60) == std::vector{id});
    table.erase(id);
    CHECK_FALSE(table.next_deadline());
}

TEST_CASE("expiry: five days pass at once, in the order of the deadlines") {
    Table table(kKey, 64);
    std::vector<ConnId> expected(200);
    for (std::uint32_t i = 0; i < 200; ++i) {
        const std::uint32_t place = i * 77 % 200;
        expected[place] = add(table, flow(i), 1 + place * (5 * kDay / 200), 0);
    }
    CHECK(collect(table, 5 * kDay) == expected);
}

TEST_CASE("expiry: a number that another connection has meanwhile is of that one alone") {
    Table table(kKey, 64);
    const ConnId first = add(table, flow(1), 100, 0);
    const ConnId second = add(table, flow(2), 100, 0);
    REQUIRE(collect(table, 100) == std::vector{first, second});
    table.erase(second);  // before its turn
    const ConnId heir = add(table, flow(3), 500, 100);
    REQUIRE(heir == second);
    table.erase(first);
    table.erase(heir);
    CHECK(table.size() == 0);
    CHECK_FALSE(table.find(flow(3), 0, 100));
    CHECK(add(table, flow(2), 500, 100) != ConnId::None);  // nothing of it was left behind
}

TEST_CASE("expiry: deadlines cross the end of the 32-bit clock and reach 99 days ahead") {
    for (const Jiffies start : {0u, 0x7fffff00u, 0xc0000000u, 0xfffffff0u, 0xffffffffu}) {
        CAPTURE(start);
        Table table(kKey, 64);
        std::map<ConnId, Jiffies> deadline;
        for (std::uint32_t i = 0; i < 31; ++i) {
            const Jiffies at = start + (1u << i);
            deadline[add(table, flow(i), at, start)] = at;
        }
        deadline[add(table, flow(99), start + 99 * kDay, start)] = start + 99 * kDay;
        const auto gone = run(table, start + 99 * kDay);
        CHECK(gone.size() == deadline.size());
        for (const auto& [at, id] : gone) {
            CHECK(at == deadline[id]);
        }
    }
}

TEST_CASE("expiry: with a limit the rest comes later, and nothing is lost or doubled") {
    Table table(kKey, 64);
    for (std::uint32_t i = 0; i < 5000; ++i) {
        add(table, flow(i), 1 + i / 10, 0);
    }
    std::size_t calls = 0;
    std::size_t gone = 0;
    for (bool done = false; !done; ++calls) {
        std::vector<ConnId> out;
        done = table.collect_expired(100000, 64, out);
        CHECK(out.size() <= 64);
        CHECK((done || jiffies_until(*table.next_deadline(), 100000) <= 0));
        gone += out.size();
        for (const ConnId id : out) {
            table.erase(id);
        }
        REQUIRE(calls < 1000);
    }
    CHECK(gone == 5000);
    CHECK(table.size() == 0);
}

TEST_CASE("expiry: random deadlines, postponed, advanced and erased: each ends at its instant") {
    for (std::uint32_t seed = 1; seed <= 10; ++seed) {
        CAPTURE(seed);
        RandomSource random(seed);
        Table table(kKey, 64);
        Jiffies now = random.next32();
        std::map<ConnId, Jiffies> alive;
        for (std::uint32_t step = 0; step < 2000; ++step) {
            const std::uint32_t reach = 1u << random.below(27);
            const std::uint32_t what = random.below(10);
            if (what < 5) {
                const Jiffies deadline = now + 1 + random.below(reach);
                alive[add(table, flow(seed * 100000 + step), deadline, now)] = deadline;
            } else if (what < 8 && !alive.empty()) {
                auto chosen = alive.begin();
                std::advance(chosen, random.below(static_cast<std::uint32_t>(alive.size())));
                if (what == 5) {
                    table.erase(chosen->first);
                    alive.erase(chosen);
                    continue;
                }
                const Jiffies deadline = now + 1 + random.below(reach);
                const bool lowered = jiffies_until(deadline, chosen->second) < 0;
                chosen->second = table[chosen->first].deadline = deadline;
                if (lowered) {
                    table.deadline_lowered(chosen->first, now);
                }
            } else {
                now += random.below(reach);
                std::vector<ConnId> due = collect(table, now);
                std::vector<ConnId> expected;
                for (const auto& [id, deadline] : alive) {
                    if (jiffies_until(deadline, now) <= 0) {
                        expected.push_back(id);
                    }
                }
                CHECK(std::is_sorted(due.begin(), due.end(), [&](ConnId a, ConnId b) {
                    return jiffies_until(alive[a], alive[b]) < 0;
                }));
                std::sort(due.begin(), due.end());
                REQUIRE(due == expected);
                for (const ConnId id : due) {
                    table.erase(id);
                    alive.erase(id);
                }
            }
            if (!alive.empty()) {
                const auto first = std::min_element(
                    alive.begin(), alive.end(), [now](const auto& a, const auto& b) {
                        return jiffies_until(a.second, now) < jiffies_until(b.second, now);
                    });
                REQUIRE(table.next_deadline());
                REQUIRE(jiffies_until(*table.next_deadline(), first->second) <= 0);
            }
        }
    }
}
