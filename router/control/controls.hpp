// What the control port has of a running instance.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/pipeline/router.hpp"
#include "core/procfs/tree.hpp"
#include "router/base/clock.hpp"
#include "router/config/config.hpp"
#include "router/log/log.hpp"
#include "router/ports/engine.hpp"
#include "router/tools/ip/command.hpp"

namespace nsr::router {

// The parts of a running instance that a request may look at or change.
struct Controls {
    Router& router;
    procfs::Tree& tree;
    KernelLog& log;
    const SystemClock& clock;
    Engine& engine;
    const Config& config;
    Instant started;
    std::uint64_t memory_limit_bytes = 0;
    std::function<std::string()> reload;  // the answer is what was wrong; empty: done
    std::function<void()> stop;
    // Gives the device of an interface the MTU and the carrier asked for. Throws SystemError.
    ChangeLink change_link;
    // After addresses, routes or links have changed. Throws SystemError.
    std::function<void()> links_changed;
};

}  // namespace nsr::router
