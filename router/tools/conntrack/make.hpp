// Entries and expectations that conntrack(8) makes, and single expectations that it looks for.
#pragma once

#include "core/conntrack/record/change.hpp"
#include "core/pipeline/router.hpp"
#include "router/tools/conntrack/answer.hpp"

namespace nsr::router {

// One zone, of both directions or of one. False: more than one was given.
bool set_zone(conntrack::NewConnection& wanted, const ConntrackFilter& filter);
// -I, -A
ConntrackAnswer make_connection(const ConntrackArgs& args, Router& router, Instant now);
// -I expect
ConntrackAnswer make_expectation(const ConntrackArgs& args, Router& router, Instant now);
// -G expect, -D expect
ConntrackAnswer one_expectation(const ConntrackArgs& args, Router& router, Instant now);

}  // namespace nsr::router
