// How many ICMP errors a kernel sends to one peer and to everybody (seen on Linux 6.18).
#include "core/pipeline/icmp_limit.hpp"

#include <doctest/doctest.h>

namespace nsr::pipeline {
namespace {

using namespace std::chrono_literals;

IpAddress peer(std::uint8_t last) {
    return IpAddress::v4(10, 0, 0, last);
}

struct Limited {
    IcmpLimit limit{SipKey{1, 2}};
    RandomSource random{1};
    Instant now{1h};

    bool ask(const IpAddress& address, IcmpLimit::Rates rates) {
        return limit.allow_error(address, rates, now, random);
    }
    // Of `count` errors to one peer, all at once.
    int allowed(const IpAddress& address, IcmpLimit::Rates rates, int count) {
        int granted = 0;
        for (int i = 0; i < count; ++i) {
            granted += ask(address, rates) ? 1 : 0;
        }
        return granted;
    }
};

}  // namespace

TEST_CASE_FIXTURE(Limited, "a peer gets six errors at once, then one per interval") {
    const IcmpLimit::Rates rates{1000, 1000};
    CHECK(allowed(peer(1), rates, 20) == 6);
    now += 999ms;
    CHECK_FALSE(ask(peer(1), rates));
    now += 4ms;
    CHECK(ask(peer(1), rates));
    CHECK_FALSE(ask(peer(1), rates));
    CHECK(ask(peer(2), rates));
}

TEST_CASE_FIXTURE(Limited,
                  "without a limit per peer the burst to all counts, at a random price of 0 to 2") {
    const int granted = allowed(peer(1), {0, 1000}, 1000);
    CHECK(granted >= 25);
    CHECK(granted < 100);
    now += 16ms;
    CHECK_FALSE(ask(peer(1), {0, 1000}));
    now += 4ms;
    CHECK(ask(peer(1), {0, 1000}));
}

TEST_CASE_FIXTURE(Limited, "a peer that is refused costs the others nothing") {
    const IcmpLimit::Rates rates{1000, 20};
    CHECK(allowed(peer(1), rates, 1000) == 6);
    int others = 0;
    for (std::uint8_t i = 2; i < 20; ++i) {
        others += ask(peer(i), rates) ? 1 : 0;
    }
    CHECK(others == 18);
}

TEST_CASE_FIXTURE(Limited,
                  "an error of a later tick takes what a peer had for unroutable packets") {
    CHECK(limit.allow_unroutable(peer(1), now));
    CHECK(ask(peer(1), {0, 1000}));
    CHECK(limit.allow_unroutable(peer(1), now));
    now += 4ms;
    CHECK(ask(peer(1), {0, 1000}));
    CHECK_FALSE(limit.allow_unroutable(peer(1), now));
    now += 1s;
    CHECK(limit.allow_unroutable(peer(1), now));
}

TEST_CASE_FIXTURE(Limited, "none at all per second means none") {
    CHECK(allowed(peer(1), {0, 0}, 10) == 0);
}

}  // namespace nsr::pipeline
