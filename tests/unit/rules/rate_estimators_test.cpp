#include "core/rules/rate_estimators.hpp"

#include <doctest/doctest.h>

using namespace nsr;
using namespace nsr::rules;

TEST_CASE("a rate that was steady falls once nothing comes") {
    constexpr RateConfig kQuarters{0, 1};
    constexpr Jiffies kTick = kJiffiesPerSecond / 4;
    RateEstimators estimators;
    Jiffies now = 1000 * kTick;
    for (int tick = 0; tick < 100; ++tick, now += kTick) {
        for (int packet = 0; packet < 10; ++packet) {
            estimators.count("a", kQuarters, 100, now);
        }
    }
    CHECK(estimators.rate("a", now).packets >= 38);
    CHECK(estimators.rate("a", now).bytes >= 3800);
    CHECK(estimators.rate("a", now + 100 * kTick).packets == 0);
    CHECK(estimators.rate("a", now + 100 * kTick).bytes == 0);
}

TEST_CASE("an estimator is forgotten when no rule names it any more") {
    RateEstimators estimators;
    estimators.join("a");
    estimators.join("a");
    estimators.count("a", {}, 100, 1000);
    estimators.leave("a");
    CHECK(estimators.remembered() == 1);
    estimators.leave("a");
    CHECK(estimators.remembered() == 0);
}
