// A connection as conntrack(8) prints it: the plain line, the command that would make it again
// (-o save), XML, and JSON.
#pragma once

#include <string>

#include "core/conntrack/conntrack.hpp"
#include "router/tools/conntrack/args.hpp"

namespace nsr::router {

// Where the rules stand that accepted and that translated a connection, as "rules.v4:12"; empty:
// none did, or it is not there any more.
struct RulesOf {
    std::string accepted_by;
    std::string translated_by;
};

struct Entry;

// " labels=0,7"; nothing where none is set.
std::string labels_of(const Entry& entry);

// One line with its line break, in the form that `output` asks for, as `command` shows it.
void append_conntrack_entry(std::string& out, const conntrack::Conntrack& conntrack, ConnId id,
                            const RulesOf& rules, const ConntrackOutput& output, Instant now,
                            ConntrackCommand command);

// One JSON object, without line break: family, protocol, timeout, state, original, reply, status,
// mark, zone, id; helper, counters and start where they are kept; accepted_by, translated_by where
// a rule did.
void append_conntrack_json(std::string& out, const conntrack::Conntrack& conntrack, ConnId id,
                           const RulesOf& rules, Instant now);
// What stands between its braces.
void append_json_members(std::string& out, const Entry& entry, const RulesOf& rules);

}  // namespace nsr::router
