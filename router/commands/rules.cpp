#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>
#include <cstdio>

#include "core/base/config_error.hpp"
#include "router/base/text_file.hpp"
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
    std::string table;
};

void add_rules_save(CLI::App& group, int& exit_code) {
    CLI::App* command = group.add_subcommand(
        "save", "Print the rules in the format of iptables-save, with counters");
    const ControlOptions options(*command);
    const auto flags = std::make_shared<SaveFlags>();
    command->add_flag("-c,--counters", flags->counters, "with counters; they are always there");
    CLI::Option* v4 = command->add_flag("-4,--ipv4", flags->v4, "as iptables-save; the default");
    command->add_flag("-6,--ipv6", flags->v6, "as ip6tables-save")->excludes(v4);
    command->add_option("-t,--table", flags->table, "only this table")
        ->check(CLI::IsMember({"raw", "mangle", "nat", "filter", "security"}));
    command->callback([options, flags, &exit_code] {
        exit_code = guarded([&] {
            std::string target = std::string("/rules?family=") + (flags->v6 ? "ipv6" : "ipv4");
            target += flags->table.empty() ? "" : "&table=" + flags->table;
            return print_reply(ask(options.target(), {"GET", target, {}}));
        });
    });
}

constexpr std::size_t kLargestRulesFile = std::size_t{64} * 1024 * 1024;

struct RestoreFlags {
    bool noflush = false;
    bool counters = false;
    bool test = false;
    bool v4 = false;
    bool v6 = false;
    std::string table;
    std::string file = "-";
};

// Where and what, a line each, and last what iptables-restore says.
int print_refusal(const ControlReply& reply, bool v6) {
    boost::system::error_code failure;
    const boost::json::value value = boost::json::parse(reply.body, failure);
    const boost::json::object* answer = failure ? nullptr : value.if_object();
    if (answer == nullptr || !answer->contains("errors")) {
        return print_reply(reply);
    }
    std::int64_t line = 0;
    for (const boost::json::value& each : answer->at("errors").as_array()) {
        const boost::json::object& error = each.as_object();
        const SourceLocation where{boost::json::value_to<std::string>(error.at("file")),
                                   boost::json::value_to<std::uint32_t>(error.at("line")),
                                   boost::json::value_to<std::uint32_t>(error.at("column"))};
        const std::string text =
            to_string(ConfigError{where, boost::json::value_to<std::string>(error.at("message"))});
        std::fprintf(stderr, "%s\n", text.c_str());
        line = line == 0 ? where.line : line;
    }
    if (line != 0) {
        const char* name = v6 ? "ip6tables-restore" : "iptables-restore";
        std::fprintf(stderr, "%s: line %lld failed\n", name, static_cast<long long>(line));
    }
    return kFailure;
}

int restore(const ControlTarget& target, const RestoreFlags& flags) {
    const bool from_input = flags.file == "-";
    const auto text = read_text_file(from_input ? "/dev/stdin" : flags.file, kLargestRulesFile);
    if (!text) {
        std::fprintf(stderr, "nsrouter: %s: %s\n", flags.file.c_str(), text.error().text.c_str());
        return kFailure;
    }
    std::string request = std::string("/rules?format=json&family=") + (flags.v6 ? "ipv6" : "ipv4");
    request += "&file=" + percent_encode(from_input ? "stdin" : flags.file);
    request += flags.counters ? "&counters=1" : "";
    request += flags.test ? "&test=1" : "";
    request += flags.table.empty() ? "" : "&table=" + percent_encode(flags.table);
    const ControlReply reply = ask(target, {flags.noflush ? "POST" : "PUT", request, *text});
    return reply.ok() ? kSuccess : print_refusal(reply, flags.v6);
}

void add_rules_restore(CLI::App& group, int& exit_code) {
    CLI::App* command = group.add_subcommand(
        "restore", "Load rules in the format of iptables-save: all of them or none");
    command->footer(
        "A file does not say its family: it is IPv4 without -6.\n"
        "Examples:\n  nsrouter rules restore rules.v4\n"
        "  nsrouter rules restore -6 -n < more.v6\n"
        "  iptables-save -c | nsrouter rules restore -c --test");
    const ControlOptions options(*command);
    const auto flags = std::make_shared<RestoreFlags>();
    command->add_flag("-n,--noflush", flags->noflush, "add to the rules that there are");
    command->add_flag("-c,--counters", flags->counters, "with the counters of the file");
    command->add_flag("-t,--test", flags->test, "only look whether it could be done");
    command->add_option("-T,--table", flags->table, "only this table of the file")
        ->check(CLI::IsMember({"raw", "mangle", "nat", "filter", "security"}));
    CLI::Option* v4 = command->add_flag("-4,--ipv4", flags->v4, "the file is of IPv4; the default");
    command->add_flag("-6,--ipv6", flags->v6, "the file is of IPv6")->excludes(v4);
    command->add_option("file", flags->file, "standard input if it is - or not given");
    command->callback([options, flags, &exit_code] {
        exit_code = guarded([&] { return restore(options.target(), *flags); });
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
        "Examples:\n  nsrouter rules list\n  nsrouter rules save -4 > rules.v4\n  nsrouter rules "
        "restore rules.v4\n"
        "  nsrouter rules flush");
    group->require_subcommand(1);
    group->fallthrough();
    add_rules_save(*group, exit_code);
    add_rules_restore(*group, exit_code);
    add_request(*group, "list", "Print chains and rules with their counters",
                {"GET", "/rules?format=list", {}}, exit_code);
    add_request(*group, "flush", "Remove all rules and policies", {"DELETE", "/rules", {}},
                exit_code);
}

}  // namespace nsr::router
