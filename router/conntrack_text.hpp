// A connection as conntrack(8) prints it: the plain line, the command that would make it again
// (-o save), and XML.
#pragma once

#include <string>

#include "core/conntrack/conntrack.hpp"
#include "router/conntrack_args.hpp"

namespace nsr::router {

// One line with its line break, in the form that `output` asks for.
void append_conntrack_entry(std::string& out, const conntrack::Conntrack& conntrack, ConnId id,
                            const ConntrackOutput& output, Instant now);

}  // namespace nsr::router
