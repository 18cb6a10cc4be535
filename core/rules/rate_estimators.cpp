#include "core/rules/rate_estimators.hpp"

namespace nsr::rules {

namespace {

constexpr unsigned kFraction = 8;  // bits of a rate behind the point
// Ticks come four times a second, or less often; a quarter counts four times.
constexpr unsigned kPerSecond = 2;

Jiffies ticks_of(const RateConfig& config) {
    return kJiffiesPerSecond / 4 << config.interval_log;
}

// kernel: est_timer
std::uint64_t moved(std::uint64_t average, std::uint64_t counted, const RateConfig& config) {
    const std::uint64_t now = counted << (kFraction + kPerSecond - config.interval_log);
    return average + (now >> config.ewma_log) - (average >> config.ewma_log);
}

}  // namespace

void RateEstimators::join(std::string_view name) {
    ++users_.try_emplace(std::string(name), 0).first->second;
}

void RateEstimators::leave(std::string_view name) {
    const auto found = users_.find(name);
    if (found == users_.end() || --found->second != 0) {
        return;
    }
    users_.erase(found);
    if (const auto estimator = by_name_.find(name); estimator != by_name_.end()) {
        by_name_.erase(estimator);
    }
}

void RateEstimators::count(std::string_view name, const RateConfig& config, std::uint64_t bytes,
                           Jiffies now) {
    auto found = by_name_.find(name);
    if (found == by_name_.end()) {
        const Jiffies tick = ticks_of(config);
        found = by_name_.emplace(name, Estimator{config, {}, {}, now - now % tick + tick}).first;
    }
    catch_up(found->second, now);
    found->second.counted.bytes += bytes;
    found->second.counted.packets += 1;
}

// kernel: gen_estimator_read
Rate RateEstimators::rate(std::string_view name, Jiffies now) {
    const auto found = by_name_.find(name);
    if (found == by_name_.end()) {
        return {};
    }
    catch_up(found->second, now);
    const Rate& average = found->second.average;
    return {average.bytes >> kFraction, average.packets >> kFraction};
}

void RateEstimators::catch_up(Estimator& estimator, Jiffies now) {
    const Jiffies tick = ticks_of(estimator.config);
    while (jiffies_until(estimator.next_tick, now) <= 0) {
        const Rate before = estimator.average;
        const bool silent = estimator.counted.packets == 0;
        Rate& average = estimator.average;
        average.bytes = moved(average.bytes, estimator.counted.bytes, estimator.config);
        average.packets = moved(average.packets, estimator.counted.packets, estimator.config);
        estimator.counted = {};
        estimator.next_tick += tick;
        if (silent && average.bytes == before.bytes && average.packets == before.packets) {
            estimator.next_tick = now - now % tick + tick;  // it stays as it is
        }
    }
}

}  // namespace nsr::rules
