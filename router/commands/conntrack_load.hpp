// conntrack commands sent to the router, one or a file of them.
#pragma once

#include <string>
#include <vector>

#include "router/commands/commands.hpp"

namespace nsr::router {

// What it shows goes to standard output as it comes. `dry_run`: of -D, and nothing is deleted.
ControlReply ask_conntrack(const ControlOptions& control, const std::vector<std::string>& words,
                           bool dry_run = false);

// The lines that the tool has for entries that -U could not change.
void print_refusals(const ControlReply& reply);

// Says what is wrong as the tool does, and with `usage` where its help is. -> exit code
int conntrack_failed(const std::string& message, bool usage);

// -R: reads all of the file (- is standard input) before it does anything of it. -> exit code
int load_conntrack_file(const ControlOptions& control, const std::string& path);

}  // namespace nsr::router
