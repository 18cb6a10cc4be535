// One router takes over the network of another.
#pragma once

#include "core/base/instant.hpp"
#include "core/pipeline/router.hpp"
#include "core/pipeline/shard_duties.hpp"

namespace nsr::pipeline {

// Makes the links, addresses and routes of `router` those of another one, which is of the same
// configuration.
void follow(Router& router, const Network& network, Instant now);

}  // namespace nsr::pipeline
