// How long the loop may look for packets before it sleeps.
#include "router/ports/spin.hpp"

#include <doctest/doctest.h>
#include <sched.h>

#include <atomic>
#include <thread>

using namespace nsr;
using namespace nsr::router;
using std::chrono::microseconds;
using std::chrono::milliseconds;

namespace {

// Turns of packets of a microsecond each, on a clock that stands where it is put.
struct SpinStory {
    explicit SpinStory(Duration longest = microseconds(50)) { spin.set_longest(longest); }
    void packets_after(Duration gap) {
        now += gap;
        spin.packets(now, now + microseconds(1));
        now += microseconds(1);
    }

    Instant now{std::chrono::hours(1)};
    Spin spin;
};

void no_packets() {
}

// This thread and those that it begins share a core.
class OneCore {
  public:
    OneCore() {
        REQUIRE(::sched_getaffinity(0, sizeof before_, &before_) == 0);
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(::sched_getcpu(), &one);
        REQUIRE(::sched_setaffinity(0, sizeof one, &one) == 0);
    }
    ~OneCore() { ::sched_setaffinity(0, sizeof before_, &before_); }
    OneCore(const OneCore&) = delete;
    OneCore& operator=(const OneCore&) = delete;

  private:
    cpu_set_t before_{};
};

struct SpinCounts {
    std::uint64_t packets, timeout, gave_way;
    bool operator==(const SpinCounts&) const = default;
};

SpinCounts counts_of(const Spin& spin) {
    return {spin.ended(SpinEnd::Packets), spin.ended(SpinEnd::Timeout),
            spin.ended(SpinEnd::GaveWay)};
}

}  // namespace

TEST_CASE("spin: packets close to each other are waited for, all the time that is allowed") {
    SpinStory story;
    story.packets_after(milliseconds(5));
    story.packets_after(microseconds(40));
    CHECK(story.spin.allowance() == microseconds(50));
}

TEST_CASE("spin: what is found by none is halved, until nothing is spent") {
    SpinStory story;
    story.packets_after(microseconds(1));
    for (int i = 0; i < 3; ++i) {
        const Duration before = story.spin.allowance();
        story.packets_after(milliseconds(10));
        CHECK(story.spin.allowance() <= before / 2);
    }
    for (int i = 0; i < 3; ++i) {
        story.packets_after(milliseconds(10));
    }
    CHECK(story.spin.allowance() == Duration{});
    story.packets_after(microseconds(30));
    CHECK(story.spin.allowance() == microseconds(50));
}

TEST_CASE("spin: where others want the core it rests, longer each time") {
    SpinStory story;
    story.packets_after(microseconds(10));
    Duration rest = Spin::kShortestRest;
    for (int i = 0; i < 12; ++i) {
        story.spin.disturbed(story.now);
        story.packets_after(microseconds(10));
        CHECK(story.spin.allowance() == Duration{});
        for (Duration passed{}; passed < rest; passed += microseconds(30)) {
            story.packets_after(microseconds(30));
        }
        CHECK(story.spin.allowance() == microseconds(50));
        rest = std::min(rest * 2, Spin::kLongestRest);
    }
    story.spin.succeeded();
    story.spin.disturbed(story.now);
    for (Duration passed{}; passed < Spin::kLongestRest / 2; passed += microseconds(30)) {
        story.packets_after(microseconds(30));
    }
    CHECK(story.spin.allowance() == microseconds(50));
}

TEST_CASE("spin: the loop looks for packets once after packets, and sleeps then") {
    const SystemClock clock;
    Spin spin;
    spin.set_longest(std::chrono::seconds(10));
    int polls = 0;
    const auto find_at_last = [&] {
        if (++polls == 3) {
            spin.packets(clock.now(), clock.now());
        }
    };
    CHECK_FALSE(spin.stay_awake(clock, find_at_last));  // nothing has come yet
    CHECK(polls == 0);
    CHECK(counts_of(spin) == SpinCounts{0, 0, 0});
    spin.packets(clock.now(), clock.now());
    // Unless somebody else wanted the core in between.
    const bool found = spin.stay_awake(clock, find_at_last);
    CHECK((found ? polls == 3 : polls > 0));
    CHECK(counts_of(spin) == (found ? SpinCounts{1, 0, 0} : SpinCounts{0, 0, 1}));
}

TEST_CASE("spin: one that finds nothing ends with its time, or gives way; it counts once") {
    const SystemClock clock;
    Spin spin;
    spin.set_longest(microseconds(100));
    spin.packets(clock.now(), clock.now());
    CHECK_FALSE(spin.stay_awake(clock, no_packets));
    CHECK_FALSE(spin.stay_awake(clock, no_packets));
    CHECK(spin.ended(SpinEnd::Packets) == 0);
    CHECK(spin.ended(SpinEnd::Timeout) + spin.ended(SpinEnd::GaveWay) == 1);
}

TEST_CASE("spin: somebody else who wants its core gets it, and that is counted as such") {
    OneCore core;
    std::atomic<bool> over = false;
    std::thread other([&] {
        while (!over) {
        }
    });
    const SystemClock clock;
    Spin spin;
    spin.set_longest(std::chrono::seconds(10));
    spin.packets(clock.now(), clock.now());
    CHECK_FALSE(spin.stay_awake(clock, no_packets));
    over = true;
    other.join();
    CHECK(counts_of(spin) == SpinCounts{0, 0, 1});
    CHECK(spin.allowance() == Duration{});
}

TEST_CASE("spin: off never looks, busy never sleeps") {
    const SystemClock clock;
    Spin spin;
    int polls = 0;
    const auto poll = [&] { ++polls; };
    spin.packets(clock.now(), clock.now());
    CHECK_FALSE(spin.stay_awake(clock, poll));
    CHECK(polls == 0);
    spin.set_longest(Spin::kBusy);
    CHECK(spin.stay_awake(clock, poll));
    CHECK(spin.stay_awake(clock, poll));
    CHECK(polls == 2);
    CHECK(counts_of(spin) == SpinCounts{0, 0, 0});
}
