// What conntrack(8) prints of the expectations: lines or XML, of one family at a time.
#pragma once

#include <cstddef>
#include <string>

#include "router/tools/conntrack/args.hpp"

namespace nsr::router {

// -L expect: IPv4 unless -f says otherwise, as the tool does.
// -> how many
std::size_t append_expectations(std::string& out, const ConntrackArgs& args,
                                const conntrack::Conntrack& conntrack, Instant now);
// -C expect, of both families.
std::size_t count_expectations(const conntrack::Conntrack& conntrack, Instant now);

}  // namespace nsr::router
