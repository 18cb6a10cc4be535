// Which options of conntrack(8) go with which of its commands.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "router/tools/conntrack/options.hpp"

namespace nsr::router {

// The column of a command.
Column column_of(const ConntrackArgs& args);

// `given`: the options that were given. An option that a command has no use for is never ignored:
// `-F -p udp` must not empty the whole table.
Problem check_conntrack_options(const ConntrackArgs& args,
                                std::span<const ConntrackOption> protocol_rows,
                                const std::vector<const ConntrackOption*>& given);

}  // namespace nsr::router
