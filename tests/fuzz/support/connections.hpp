// A router that a few hosts talked through.
#pragma once

#include <memory>

#include "core/pipeline/router.hpp"

namespace nsr::fuzz {

inline constexpr Instant kLiveNow{std::chrono::seconds(1000)};

// Connections of every kind: translated and not, answered and not, of both families, with a mark,
// a zone, counters and a helper.
std::unique_ptr<Router> live_router(std::unique_ptr<conntrack::Memory> memory = nullptr);

}  // namespace nsr::fuzz
