#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <string>

#include "router/commands/cli.hpp"
#include "router/config/load.hpp"
#include "router/daemon/memory_limit.hpp"
#include "router/topology/preflight.hpp"

namespace nsr::router {
namespace {

int refuse(const ConfigErrors& errors) {
    std::fputs(in_lines(errors).c_str(), stderr);
    std::fprintf(stderr, "%zu error%s\n", errors.size(),
                 std::string(errors.size() != 1, 's').c_str());
    return kFailure;
}

int command_check(const std::string& path) {
    const Result<Config, ConfigErrors> config = load_config(path, memory_limit());
    if (!config) {
        return refuse(config.error());
    }
    std::fputs(warnings_in_lines(config->warnings).c_str(), stderr);
    const Preflight here = preflight(*config);
    if (!here.not_known.empty()) {
        std::fprintf(stderr, "%s: not looked at: what is in the namespaces now (%s)\n",
                     path.c_str(), here.not_known.c_str());
    }
    if (!here.obstacles.empty()) {
        return refuse(here.obstacles);
    }
    std::printf("%s: fine: \"%s\", %zu interface%s\n", path.c_str(), config->name.c_str(),
                config->interfaces.size(), config->interfaces.size() == 1 ? "" : "s");
    return kSuccess;
}

}  // namespace

void add_check_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand(
        "check",
        "Validate a configuration, and look whether it would start here; touches nothing.");
    auto path = std::make_shared<std::string>();
    command->add_option("CONFIG", *path, "the configuration file (TOML)")->required();
    command->footer(
        "Examples:\n  nsrouter check configs/demo.toml\n"
        "  nsrouter check router.toml && nsrouter reload");
    command->callback([path, &exit_code] { exit_code = command_check(*path); });
}

}  // namespace nsr::router
