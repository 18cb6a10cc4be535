#include "router/replay/schedule.hpp"

#include <algorithm>
#include <utility>

namespace nsr::router {

std::vector<Scheduled> schedule_of(const ReplayConfig& replay) {
    std::vector<Scheduled> schedule;
    for (const ReplayEvent& event : replay.events) {
        schedule.push_back({Instant(event.at), Scheduled::Kind::Event, &event});
    }
    for (const Duration at : replay.checkpoints) {
        schedule.push_back({Instant(at), Scheduled::Kind::Checkpoint, nullptr});
    }
    std::stable_sort(schedule.begin(), schedule.end(), [](const Scheduled& a, const Scheduled& b) {
        return std::pair(a.at, a.kind) < std::pair(b.at, b.kind);
    });
    return schedule;
}

}  // namespace nsr::router
