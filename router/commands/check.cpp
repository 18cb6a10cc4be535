#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "router/commands/cli.hpp"
#include "router/config/load.hpp"
#include "router/daemon/memory_limit.hpp"

namespace nsr::router {
namespace {

int command_check(const std::string& path) {
    const Result<Config, ConfigErrors> config = load_config(path, memory_limit());
    if (!config) {
        std::fputs(in_lines(config.error()).c_str(), stderr);
        const std::size_t count = config.error().size();
        std::fprintf(stderr, "%zu error%s\n", count, count == 1 ? "" : "s");
        return kFailure;
    }
    for (const ConfigError& warning : config->warnings) {
        std::fprintf(stderr, "%s (warning)\n", to_string(warning).c_str());
    }
    std::printf("%s: fine: \"%s\", %zu interface%s\n", path.c_str(), config->name.c_str(),
                config->interfaces.size(), config->interfaces.size() == 1 ? "" : "s");
    return kSuccess;
}

}  // namespace

void add_check_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("check", "Validate a configuration; touches nothing.");
    auto path = std::make_shared<std::string>();
    command->add_option("CONFIG", *path, "the configuration file (TOML)")->required();
    command->footer(
        "Examples:\n  nsrouter check configs/demo.toml\n"
        "  nsrouter check router.toml && nsrouter reload");
    command->callback([path, &exit_code] { exit_code = command_check(*path); });
}

}  // namespace nsr::router
