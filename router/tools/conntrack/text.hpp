// A connection as conntrack(8) prints it: the plain line, the command that would make it again
// (-o save), XML, and JSON.
#pragma once

#include <string>

#include "core/conntrack/conntrack.hpp"
#include "router/tools/conntrack/args.hpp"

namespace nsr::router {

// One line with its line break, in the form that `output` asks for.
void append_conntrack_entry(std::string& out, const conntrack::Conntrack& conntrack, ConnId id,
                            const ConntrackOutput& output, Instant now);

// One JSON object, without line break: family, protocol, timeout, state, original, reply, status,
// mark, zone, id; counters and start where they are kept.
void append_conntrack_json(std::string& out, const conntrack::Conntrack& conntrack, ConnId id,
                           Instant now);

}  // namespace nsr::router
