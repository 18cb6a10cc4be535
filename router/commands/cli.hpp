// The command line: one program, one row per subcommand.
//
// A subcommand is one function `add_x_command`, beside the code that does its work: it describes
// the options to CLI11 and sets `exit_code` from a callback. Its row in the table of cli.cpp is all
// else it needs. Exit codes: 0 fine, 1 it did not work, 2 wrong usage.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace nsr::router {

// Exit codes.
inline constexpr int kSuccess = 0;
inline constexpr int kFailure = 1;
inline constexpr int kUsage = 2;

int run_cli(int argc, const char* const* argv);
// The options and subcommands of the program; for run_cli, and for whoever asks what there is.
void describe_cli(CLI::App& app, int& exit_code);

// What is wrong with the name of a file that an option is given; empty: nothing.
std::string file_name_problem(const std::string& name);

// check.cpp, replay.cpp, import_host.cpp
void add_check_command(CLI::App& app, int& exit_code);
void add_replay_command(CLI::App& app, int& exit_code);
void add_import_host_command(CLI::App& app, int& exit_code);

}  // namespace nsr::router
