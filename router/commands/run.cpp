#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <future>

#include "netlink/error.hpp"
#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"
#include "router/config/load.hpp"
#include "router/daemon/daemon.hpp"
#include "router/daemon/memory_limit.hpp"
#include "router/daemon/service.hpp"

namespace nsr::router {
namespace {

int run(const std::string& path, bool in_background);

}  // namespace

void add_run_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("run", "Run a router until it is told to stop");
    command->footer(
        "Examples:\n  nsrouter run configs/demo.toml\n"
        "  nsrouter run --daemon configs/demo.toml && nsrouter status\n"
        "SIGTERM and SIGINT stop it and remove all it made, and so does every other signal that "
        "would end a process, but for SIGUSR1 and SIGUSR2, which do nothing; SIGHUP reloads the "
        "configuration.");
    const auto path = std::make_shared<std::string>();
    const auto in_background = std::make_shared<bool>(false);
    command->add_option("CONFIG", *path, "the configuration file (TOML)")->required();
    command->add_flag("--daemon", *in_background, "return as soon as the router is ready");
    command->callback([path, in_background, &exit_code] {
        exit_code = guarded([&] { return run(*path, *in_background); });
    });
}

namespace {

// In a thread that is not the loop's, for the worker will destroy what was loaded (worker.hpp).
Result<Config, ConfigErrors> load_apart(const std::string& path) {
    return std::async(std::launch::async, load_config, path, memory_limit()).get();
}

int run(const std::string& path, bool in_background) {
    Result<Config, ConfigErrors> config = load_apart(path);
    if (!config) {
        std::fputs(in_lines(config.error()).c_str(), stderr);
        return kFailure;
    }
    // Who reads standard error may go; the router stays.
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    Daemon daemon;
    if (in_background) {
        daemon = Daemon::detach();
    }
    try {
        Service service(std::move(*config));
        service.run([&] { daemon.ready(); });
    } catch (const SystemError& error) {
        if (::geteuid() == 0 || (error.code() != EPERM && error.code() != EACCES)) {
            throw;
        }
        std::fprintf(stderr, "nsrouter: %s\nnsrouter: run needs root\n", error.what());
        return kFailure;
    }
    return kSuccess;
}

}  // namespace

}  // namespace nsr::router
