// The subcommands for a running router; each is a row of cli.cpp. They ask the instance
// over its socket.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "router/http/client.hpp"

namespace CLI {
class App;
}

namespace nsr::router {

void add_run_command(CLI::App& app, int& exit_code);        // run.cpp
void add_stop_command(CLI::App& app, int& exit_code);       // instance.cpp
void add_status_command(CLI::App& app, int& exit_code);     // status.cpp
void add_top_command(CLI::App& app, int& exit_code);        // top.cpp
void add_reload_command(CLI::App& app, int& exit_code);     // instance.cpp
void add_dmesg_command(CLI::App& app, int& exit_code);      // dmesg.cpp
void add_module_command(CLI::App& app, int& exit_code);     // rules.cpp
void add_rules_command(CLI::App& app, int& exit_code);      // rules.cpp
void add_sysctl_command(CLI::App& app, int& exit_code);     // sysctl.cpp
void add_ip_command(CLI::App& app, int& exit_code);         // ip.cpp
void add_iptables_command(CLI::App& app, int& exit_code);   // iptables.cpp
void add_ip6tables_command(CLI::App& app, int& exit_code);  // iptables.cpp
void add_conntrack_command(CLI::App& app, int& exit_code);  // conntrack.cpp
void add_nfct_command(CLI::App& app, int& exit_code);       // nfct.cpp
void add_ipset_command(CLI::App& app, int& exit_code);      // ipset.cpp
void add_trace_command(CLI::App& app, int& exit_code);      // trace.cpp
void add_why_command(CLI::App& app, int& exit_code);        // trace.cpp
void add_explain_command(CLI::App& app, int& exit_code);    // explain.cpp
void add_capture_command(CLI::App& app, int& exit_code);    // capture.cpp
void add_nat_command(CLI::App& app, int& exit_code);        // nat.cpp
void add_bundle_command(CLI::App& app, int& exit_code);     // bundle.cpp

// --control and --token, options of the program that stand before or behind its subcommand.
void add_control_options(CLI::App& app);

// What they said, read when a command runs.
class ControlOptions {
  public:
    // Lets `command` and those below it take the program's options behind their own.
    explicit ControlOptions(CLI::App& command);
    [[nodiscard]] ControlTarget target() const;  // throws std::runtime_error

    // Takes both out of the words of a command that reads its words itself. They win over the
    // program's options.
    std::vector<std::string> take_from(std::vector<std::string> words);

  private:
    std::string control_;
    std::string token_;
    CLI::App* root_;
};

// A command in the language of another tool, which CLI11 does not understand: all its words go to
// `run`. word.cpp
struct WordCommand {
    const char* name;
    const char* description;
    const char* help;
    int (*run)(const ControlOptions& control, const std::vector<std::string>& words);
};
void add_word_command(CLI::App& app, const WordCommand& command, int& exit_code);
// How many packets a command that follows them wants: -r and -c. trace.cpp
struct FollowBounds {
    std::uint64_t rate = 1000;  // a second
    std::uint64_t count = 0;    // in all; 0: no end
};
void add_follow_bounds(CLI::App& command, FollowBounds& bounds);  // which must live as long
std::string in_query(const FollowBounds& bounds);                 // "rate=1000&count=0"

// The body of a request: one word a line.
std::string one_a_line(const std::vector<std::string>& words);

// Prints the reply: its body on standard output and 0, or on standard error and 1.
int print_reply(const ControlReply& reply);
// Runs `work`; what it throws becomes "nsrouter: ..." on standard error and 1.
int guarded(const std::function<int()>& work);

}  // namespace nsr::router
