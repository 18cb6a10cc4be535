// A connection as the command that would make it again, as conntrack(8) prints it with -o save.
#pragma once

#include <string>

#include "router/tools/conntrack/plain.hpp"

namespace nsr::router {

// Without line break: "-A -t 120 -u UNSET -s ...". `command`: A, or what an event says, U or D.
void append_save(std::string& out, const Entry& entry, const Attributes& attributes, char command);

// "SEEN_REPLY,ASSURED"; "UNSET" where none of what can be said is set.
std::string status_words(const conntrack::Connection& connection);

}  // namespace nsr::router
