#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "netlink/error.hpp"
#include "router/base/run_directory.hpp"
#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"
#include "router/daemon/instance.hpp"

namespace nsr::router {
namespace {

int stop_and_wait(const ControlTarget& target);

}  // namespace

void add_stop_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("stop", "Stop a running router and wait for its end");
    command->footer(
        "Examples:\n  nsrouter stop\n  nsrouter stop --control demo\n"
        "It says which namespaces stay behind, and why. What a router that was killed has left is "
        "removed.");
    const ControlOptions options(*command);
    command->callback([options, &exit_code] {
        exit_code = guarded([&] { return stop_and_wait(options.target()); });
    });
}

void add_reload_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand(
        "reload",
        "Read the configuration again: interfaces, rules, routes and sysctls; connections stay");
    command->footer(
        "Examples:\n  nsrouter reload\n  nsrouter reload --dry-run\n"
        "  nsrouter reload --existing kill\n"
        "If anything is wrong with the new configuration, nothing changes. Connections that the "
        "new rules would refuse or translate differently go on (keep), have to be accepted again "
        "with their next packet (recheck), or end (kill); --dry-run lists them, with the rules, "
        "and changes nothing.");
    const ControlOptions options(*command);
    const auto existing = std::make_shared<std::string>("keep");
    const auto dry_run = std::make_shared<bool>(false);
    command->add_option("--existing", *existing, "what becomes of such connections")
        ->check(CLI::IsMember({"keep", "recheck", "kill"}))
        ->capture_default_str();
    command->add_flag("--dry-run", *dry_run, "only say what would change");
    command->callback([options, existing, dry_run, &exit_code] {
        exit_code = guarded([&] {
            const std::string target =
                "/reload?existing=" + *existing + "&dry-run=" + (*dry_run ? "1" : "0");
            return print_reply(ask(options.target(), {"POST", target, {}}));
        });
    });
}

void add_control_options(CLI::App& app) {
    app.add_option("--control",
                   "the router to talk to: its name, its socket or its HTTP address; by default "
                   "the only one that runs")
        ->type_name("NAME|PATH|HOST:PORT")
        ->check([](const std::string& text) {
            return text.empty() ? "is empty, and names no router" : std::string();
        });
    app.add_option("--token", "token of an HTTP address")->envname("NSROUTER_TOKEN");
}

ControlOptions::ControlOptions(CLI::App& command) : root_(&command) {
    command.fallthrough();
    while (root_->get_parent() != nullptr) {
        root_ = root_->get_parent();
    }
}

ControlTarget ControlOptions::target() const {
    const auto value = [this](const char* name) {
        const CLI::Option* option = root_->get_option_no_throw(name);
        return option != nullptr && !option->empty() ? option->as<std::string>() : std::string();
    };
    ControlTarget target = find_instance(control_.empty() ? value("--control") : control_);
    target.token = token_.empty() ? value("--token") : token_;
    return target;
}

std::vector<std::string> ControlOptions::take_from(std::vector<std::string> words) {
    const std::pair<std::string_view, std::string*> options[] = {{"--control", &control_},
                                                                 {"--token", &token_}};
    std::vector<std::string> rest;
    for (auto word = words.begin(); word != words.end(); ++word) {
        const auto option =
            std::find_if(std::begin(options), std::end(options), [&](const auto& each) {
                return word->starts_with(each.first) &&
                       (word->size() == each.first.size() || (*word)[each.first.size()] == '=');
            });
        if (option == std::end(options)) {
            rest.push_back(std::move(*word));
        } else if (word->size() > option->first.size()) {
            *option->second = word->substr(option->first.size() + 1);
        } else if (word + 1 != words.end()) {
            *option->second = std::move(*++word);
        }
        if (option != std::end(options) && option->second->empty()) {
            throw std::runtime_error(std::string(option->first) + " takes a value");
        }
    }
    return rest;
}

int print_reply(const ControlReply& reply) {
    std::FILE* stream = reply.ok() ? stdout : stderr;
    if (!reply.ok()) {
        std::fputs("nsrouter: ", stream);
    }
    std::fwrite(reply.body.data(), 1, reply.body.size(), stream);
    return reply.ok() ? kSuccess : kFailure;
}

int guarded(const std::function<int()>& work) {
    try {
        return work();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "nsrouter: %s\n", error.what());
        return kFailure;
    }
}

namespace {

bool clean_up_after_killed(const ControlTarget& target) {
    const std::filesystem::path socket(target.unix_path);
    if (socket.parent_path() != kRunDirectory || socket.extension() != ".sock") {
        return false;
    }
    const std::string name = socket.stem().string();
    std::string removed;
    try {
        removed = clean_up_after(name);
    } catch (const SystemError& error) {
        if (error.code() == EBUSY) {
            return false;  // it runs, but does not answer
        }
        throw;
    }
    if (!removed.empty()) {
        std::fprintf(stderr, "nsrouter: router '%s' was killed; removed what it had left:\n%s",
                     name.c_str(), removed.c_str());
    }
    return !removed.empty();
}

// The router answers a stop request when all it made is gone, and not before, with what stays.
int stop_and_wait(const ControlTarget& target) {
    try {
        const ControlReply alive = ask(target, {"GET", "/status", {}});
        if (!alive.ok()) {
            return print_reply(alive);
        }
    } catch (const std::runtime_error&) {
        if (clean_up_after_killed(target)) {
            return kSuccess;
        }
        throw;
    }
    try {
        return print_reply(ask(target, {"POST", "/stop", {}}));
    } catch (const HungUp&) {
        return kSuccess;
    }
}

}  // namespace

}  // namespace nsr::router
