// Which options of conntrack(8) go with which of its commands.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "router/tools/conntrack/args.hpp"

namespace nsr::router {

// `given`: the first long name of every option that was given. What is wrong, in the words of the
// tool; empty: nothing. An option that a command has no use for is never ignored: `-F -p udp` must
// not empty the whole table.
std::string check_conntrack_options(const ConntrackArgs& args,
                                    const std::vector<std::string_view>& given);

}  // namespace nsr::router
