#include "router/control/pressure.hpp"

namespace nsr::router {

void Pressure::note(Instant now, std::uint64_t entries) {
    notes_.push_back({now, entries});
    while (now - notes_.front().at > kWindow) {
        notes_.pop_front();
    }
}

std::optional<double> Pressure::growth(const Note& now) const {
    if (notes_.empty() || now.at - notes_.front().at < kLeast) {
        return std::nullopt;
    }
    const std::chrono::duration<double> time = now.at - notes_.front().at;
    const double more =
        static_cast<double>(now.entries) - static_cast<double>(notes_.front().entries);
    return more / time.count();
}

std::optional<Duration> Pressure::full_in(const Note& now, std::uint64_t max) const {
    constexpr double kAges = 365.0 * 86400;  // further off than that is never
    const std::optional<double> rate = growth(now);
    if (max == 0 || !rate || *rate <= 0) {
        return std::nullopt;
    }
    if (now.entries >= max) {
        return Duration{};
    }
    const double seconds = static_cast<double>(max - now.entries) / *rate;
    if (seconds > kAges) {
        return std::nullopt;
    }
    return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace nsr::router
