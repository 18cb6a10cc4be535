// The shell script that asks a machine, for one where nothing may be installed and for a namespace
// of this one.
#pragma once

#include <string>

namespace nsr::router {

// POSIX sh: writes each dump into the folder that is its first argument ("nsrouter-dump" without
// one). A tool that is missing, or fails, is told on standard error and costs its own dump only.
std::string import_script();

// Runs it in a namespace (see netlink/netns.hpp; empty: the present one), dumps into `folder`,
// which must be there. Throws SystemError.
void ask_machine(const std::string& netns, const std::string& folder);

}  // namespace nsr::router
