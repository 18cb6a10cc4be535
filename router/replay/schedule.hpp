// What a replay does beside packets, in the order of time.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/instant.hpp"
#include "router/config/config.hpp"

namespace nsr::router {

// A thing to do at its time. In the order of the enumeration at equal times.
struct Scheduled {
    enum class Kind : std::uint8_t { Event, Checkpoint };
    Instant at{};
    Kind kind = Kind::Event;
    const ReplayEvent* event = nullptr;  // as long as the configuration lives
};

std::vector<Scheduled> schedule_of(const ReplayConfig& replay);

}  // namespace nsr::router
