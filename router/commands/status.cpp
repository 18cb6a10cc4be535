#include <poll.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <stdexcept>

#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"
#include "router/commands/status_text.hpp"

namespace nsr::router {
namespace {

using SteadyClock = std::chrono::steady_clock;

ControlReply status_within(const ControlOptions& options, double seconds);
int print_status(ControlReply reply, bool as_json);

}  // namespace

void add_status_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("status", "Show a running router at a glance");
    command->footer(
        "Examples:\n  nsrouter status\n  nsrouter status -j --control demo\n"
        "  nsrouter status --wait 5 && nsrouter conntrack -L");
    const ControlOptions options(*command);
    const auto seconds = std::make_shared<double>(0);
    const auto as_json = std::make_shared<bool>(false);
    command->add_option("--wait", *seconds, "wait this long for the router to be ready")
        ->type_name("SECONDS")
        ->check(CLI::NonNegativeNumber);
    command->add_flag("-j,--json", *as_json, "for programs: the JSON of GET /status");
    command->callback([options, seconds, as_json, &exit_code] {
        exit_code =
            guarded([&] { return print_status(status_within(options, *seconds), *as_json); });
    });
}

namespace {

// There is nothing to wait on before the socket exists, so this asks again.
ControlReply status_within(const ControlOptions& options, double seconds) {
    constexpr int kAskAgainMilliseconds = 20;
    const auto end = SteadyClock::now() + std::chrono::duration<double>(seconds);
    for (;;) {
        try {
            return ask(options.target(), {"GET", "/status", {}});
        } catch (const std::runtime_error&) {
            if (SteadyClock::now() >= end) {
                throw;
            }
        }
        ::poll(nullptr, 0, kAskAgainMilliseconds);
    }
}

int print_status(ControlReply reply, bool as_json) {
    if (reply.ok() && !as_json) {
        reply.body = status_text(boost::json::parse(reply.body));
    }
    return print_reply(reply);
}

}  // namespace

}  // namespace nsr::router
