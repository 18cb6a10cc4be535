// The core of a running router, or of one of its shards.
#pragma once

#include <cstdint>
#include <memory>

#include "core/conntrack/shard.hpp"
#include "core/pipeline/router.hpp"
#include "router/config/config.hpp"
#include "router/daemon/huge_memory.hpp"

namespace nsr::router {

struct Core {
    std::unique_ptr<Router> router;
    HugeMemory* memory = nullptr;  // of its connections
};

// As the configuration says, with keys and randomness of its own. Throws SystemError.
Core make_core(const Config& config, std::uint64_t memory_limit_bytes, Instant now, LogSink& log,
               const conntrack::ShardPlace& place = {});

std::uint64_t random_seed();  // throws SystemError

}  // namespace nsr::router
