// conntrack -E of a running router.
#pragma once

#include <string>

#include "router/commands/commands.hpp"
#include "router/tools/conntrack/args.hpp"

namespace nsr::router {

// How conntrack(8) names itself.
inline constexpr const char* kConntrackBanner = "conntrack v1.4.7 (conntrack-tools)";

// Prints events until a signal or the end of the router; -> the exit code. `body`: the words of the
// command, one a line. Throws std::runtime_error if there is no router to begin with.
int follow_conntrack_events(const ControlOptions& control, const ConntrackArgs& args,
                            const std::string& body);

}  // namespace nsr::router
