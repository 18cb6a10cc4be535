#include "router/commands/cli.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "core/base/words.hpp"
#include "router/commands/commands.hpp"
#include "router/config/section.hpp"

namespace nsr::router {
namespace {

// One row per subcommand, in the order of --help.
constexpr void (*kCommands[])(CLI::App& app, int& exit_code) = {
    add_run_command,       add_stop_command,    add_check_command,  add_replay_command,
    add_status_command,    add_top_command,     add_reload_command, add_sysctl_command,
    add_dmesg_command,     add_module_command,  add_rules_command,  add_iptables_command,
    add_ip6tables_command, add_ipset_command,   add_ip_command,     add_nat_command,
    add_conntrack_command, add_nfct_command,    add_trace_command,  add_why_command,
    add_explain_command,   add_capture_command, add_bundle_command, add_import_host_command,
};

constexpr const char* kFooter = R"(Examples:
  nsrouter check configs/demo.toml
  nsrouter replay configs/demo.toml --in in.pcapng --out out.pcapng --conntrack -
  nsrouter run configs/demo.toml
  nsrouter conntrack -L
  nsrouter ipset list
  nsrouter sysctl -w net.netfilter.nf_conntrack_max=100000
  nsrouter why                      the last packets that went wrong
  nsrouter explain "tcp 10.0.1.2:40000 > 192.0.2.2:80 S in lan"

`nsrouter COMMAND --help` shows the options and examples of a command.)";

std::vector<std::string> names_below(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
        names.push_back(command->get_name());
    }
    return names;
}

// A first word that is no command: what was meant? The library only says that one is missing.
bool complain_about_command(const CLI::App& app, const std::string& word) {
    const std::vector<std::string> names = names_below(app);
    if (word.starts_with('-') || std::find(names.begin(), names.end(), word) != names.end()) {
        return false;
    }
    std::fprintf(stderr, "nsrouter: unknown command \"%s\"%s\n", word.c_str(),
                 suggestion(word, names).c_str());
    return true;
}

// The same for the word behind `rules` and `module`, or the lack of one.
bool complain_about_subcommand(const CLI::App& app) {
    for (const CLI::App* group : app.get_subcommands()) {
        const std::vector<std::string> known = names_below(*group);
        if (known.empty() || !group->get_subcommands().empty()) {
            continue;
        }
        const std::vector<std::string> left = app.remaining(true);
        const auto word = std::find_if(left.begin(), left.end(), [](const std::string& given) {
            return !given.starts_with('-');
        });
        if (word == left.end()) {
            std::fprintf(stderr, "nsrouter: %s needs one of %s\n", group->get_name().c_str(),
                         join(known).c_str());
            return true;
        }
        const std::string guess = did_you_mean(*word, {known.begin(), known.end()});
        std::fprintf(stderr, "nsrouter: unknown command \"%s %s\"%s; known: %s\n",
                     group->get_name().c_str(), word->c_str(), guess.c_str(), join(known).c_str());
        return true;
    }
    return false;
}

// Like all that the program says of itself.
std::string usage_error(const CLI::App* app, const CLI::Error& error) {
    return "nsrouter: " + CLI::FailureMessage::simple(app, error);
}

}  // namespace

void describe_cli(CLI::App& app, int& exit_code) {
    app.set_version_flag("--version", "nsrouter " NSR_VERSION);
    app.require_subcommand(1);
    app.footer(kFooter);
    add_control_options(app);
    for (const auto add : kCommands) {
        add(app, exit_code);
    }
}

int run_cli(int argc, const char* const* argv) {
    CLI::App app("A userspace netfilter router for Linux network namespaces.", "nsrouter");
    int exit_code = kSuccess;
    describe_cli(app, exit_code);
    app.failure_message(usage_error);
    if (argc > 1 && complain_about_command(app, argv[1])) {
        return kUsage;
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& help) {
        return app.exit(help);
    } catch (const CLI::ParseError& error) {
        if (complain_about_subcommand(app)) {
            return kUsage;
        }
        return app.exit(error) == 0 ? kSuccess : kUsage;
    }
    return exit_code;
}

std::string file_name_problem(const std::string& name) {
    return name.empty() ? "takes the name of a file, not \"\"" : "";
}

}  // namespace nsr::router
