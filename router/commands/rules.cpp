#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"

namespace nsr::router {
namespace {

// A subcommand that is one request.
void add_request(CLI::App& group, const std::string& name, const std::string& description,
                 const ControlRequest& request, int& exit_code) {
    CLI::App* command = group.add_subcommand(name, description);
    const ControlOptions options(*command);
    command->callback([options, request, &exit_code] {
        exit_code = guarded([&] { return print_reply(ask(options.target(), request)); });
    });
}

void add_module_change(CLI::App& group, const std::string& action, const std::string& description,
                       int& exit_code) {
    CLI::App* command = group.add_subcommand(action, description);
    const ControlOptions options(*command);
    const auto name = std::make_shared<std::string>();
    command->add_option("name", *name, "name of the module")->required();
    command->callback([options, name, action, &exit_code] {
        exit_code = guarded([&] {
            const std::string target =
                "/module?name=" + percent_encode(*name) + "&action=" + action;
            return print_reply(ask(options.target(), {"PUT", target, {}}));
        });
    });
}

struct SaveFlags {
    bool counters = true;
    bool v4 = false;
    bool v6 = false;
};

void add_rules_save(CLI::App& group, int& exit_code) {
    CLI::App* command = group.add_subcommand(
        "save", "Print the rules in the format of iptables-save, with counters");
    const ControlOptions options(*command);
    const auto flags = std::make_shared<SaveFlags>();
    command->add_flag("-c,--counters", flags->counters, "with counters; they are always there");
    CLI::Option* v4 = command->add_flag("-4,--ipv4", flags->v4, "as iptables-save; the default");
    command->add_flag("-6,--ipv6", flags->v6, "as ip6tables-save")->excludes(v4);
    command->callback([options, flags, &exit_code] {
        exit_code = guarded([&] {
            const std::string family = flags->v6 ? "ipv6" : "ipv4";
            return print_reply(ask(options.target(), {"GET", "/rules?family=" + family, {}}));
        });
    });
}

}  // namespace

void add_module_command(CLI::App& app, int& exit_code) {
    CLI::App* group = app.add_subcommand("module", "Connection tracking as a kernel module");
    group->footer(
        "Examples:\n  nsrouter module list\n  nsrouter module load nf_conntrack\n"
        "  nsrouter rules flush && nsrouter module unload nf_conntrack\n"
        "The module cannot go while a rule needs it, and a rule that needs it brings it back.");
    group->require_subcommand(1);
    group->fallthrough();
    add_request(*group, "list", "What is loaded, as lsmod prints it", {"GET", "/module", {}},
                exit_code);
    add_module_change(*group, "load", "Load a module", exit_code);
    add_module_change(*group, "unload", "Remove a module that no rule needs", exit_code);
}

void add_rules_command(CLI::App& app, int& exit_code) {
    CLI::App* group = app.add_subcommand("rules", "The rules of a running router");
    group->footer(
        "Examples:\n  nsrouter rules list\n  nsrouter rules save -4 > rules.v4\n"
        "  nsrouter rules flush");
    group->require_subcommand(1);
    group->fallthrough();
    add_rules_save(*group, exit_code);
    add_request(*group, "list", "Print chains and rules with their counters",
                {"GET", "/rules?format=list", {}}, exit_code);
    add_request(*group, "flush", "Remove all rules and policies", {"DELETE", "/rules", {}},
                exit_code);
}

}  // namespace nsr::router
