// Preflight: what stands in the way of a configuration on this machine as it is now. Looks, and
// touches nothing; `check` uses it, for what passes it should start.
#pragma once

#include <string>

#include "router/config/config.hpp"

namespace nsr::router {

struct Preflight {
    ConfigErrors obstacles;  // the start would fail, now and here
    // What could not be looked at, in words; empty: all was.
    std::string not_known;
};

Preflight preflight(const Config& config);

}  // namespace nsr::router
