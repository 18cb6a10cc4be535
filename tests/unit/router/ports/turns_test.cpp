// How long turns of the loop took, by length.
#include "router/ports/turns.hpp"

#include <doctest/doctest.h>

using namespace nsr;
using namespace nsr::router;
using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST_CASE("turns: a bound belongs to the bucket below it") {
    TurnHistogram turns;
    turns.add(microseconds(10));
    turns.add(microseconds(11));
    turns.add(milliseconds(1));
    turns.add(milliseconds(1) + std::chrono::nanoseconds(1));
    turns.add(std::chrono::seconds(2));
    CHECK(turns.count() == 5);
    CHECK(turns.in(0) == 1);
    CHECK(turns.in(1) == 1);
    CHECK(turns.in(TurnHistogram::kOneMillisecond) == 1);
    CHECK(turns.longer_than(TurnHistogram::kOneMillisecond) == 2);
    CHECK(turns.in(TurnHistogram::kBounds.size()) == 1);
    CHECK(turns.worst() == std::chrono::seconds(2));
    CHECK(turns.sum() == std::chrono::seconds(2) + milliseconds(2) + microseconds(21) +
                             std::chrono::nanoseconds(1));
}

TEST_CASE("turns: one that is watched counts its time and its processor time, if it throws, too") {
    const SystemClock clock;
    TurnHistogram time;
    TurnHistogram cpu;
    try {
        const WatchedTurn turn(clock, time, cpu);
        for (const Duration begin = thread_time(); thread_time() - begin < microseconds(200);) {
        }
        throw 1;
    } catch (int) {
    }
    CHECK(time.count() == 1);
    CHECK(cpu.count() == 1);
    CHECK(cpu.worst() >= microseconds(200));
    CHECK(time.worst() >= microseconds(200));
}
