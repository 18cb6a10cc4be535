#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "router/commands/commands.hpp"

namespace nsr::router {

void add_word_command(CLI::App& app, const WordCommand& command, int& exit_code) {
    CLI::App* added = app.add_subcommand(command.name, command.description);
    added->footer(command.help);
    const ControlOptions options(*added);
    added->fallthrough(false);
    added->prefix_command();
    added->callback([added, options, run = command.run, &exit_code] {
        exit_code = guarded([&] {
            ControlOptions control = options;
            const auto words = control.take_from(added->remaining());
            return run(control, words);
        });
    });
}

std::string one_a_line(const std::vector<std::string>& words) {
    std::string lines;
    for (const std::string& word : words) {
        lines += word + "\n";
    }
    return lines;
}

}  // namespace nsr::router
