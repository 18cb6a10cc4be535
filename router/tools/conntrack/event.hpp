// An event of a connection or an expectation as conntrack(8) -E prints it, and as JSON.
#pragma once

#include <cstdint>
#include <string>

#include "router/tools/conntrack/args.hpp"
#include "router/tools/conntrack/event_record.hpp"

namespace nsr::router {

// One line without its line break: "    [NEW] tcp      6 120 SYN_SENT src=...", or what
// -o xml and -o save make of it. `process`: who shows as the one that asked for a change from
// outside; 0: that is not shown.
void append_event(std::string& out, const EventRecord& record, const ConntrackOutput& output,
                  std::uint32_t process = 0);

// One JSON object: event, time_ns, by_administrator where it was one, and what GET /conntrack shows
// of a connection; of an expectation what it expects.
void append_event_json(std::string& out, const EventRecord& record);

}  // namespace nsr::router
