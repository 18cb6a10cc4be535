// An event of a connection as conntrack(8) -E prints it.
#pragma once

#include <string>

#include "core/conntrack/event_cache.hpp"
#include "router/tools/conntrack/args.hpp"

namespace nsr::router {

// One line without its line break: "    [NEW] tcp      6 120 SYN_SENT src=...".
void append_conntrack_event(std::string& out, const conntrack::Event& event,
                            const ConntrackOutput& output);

}  // namespace nsr::router
