#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>

#include "router/cli.hpp"
#include "router/commands.hpp"
#include "router/conntrack_args.hpp"

namespace nsr::router {
namespace {

// conntrack(8) prints entries on standard output and everything else on standard error.
constexpr const char* kBanner = "conntrack v1.4.7 (conntrack-tools)";

int run(const ControlOptions& control, const std::vector<std::string>& words);
std::vector<std::string> take_control_option(std::vector<std::string> words,
                                             ControlOptions& control);

}  // namespace

void add_conntrack_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand(
        "conntrack", "Show and change the connection table, with the options of conntrack(8)");
    command->footer(
        "Examples:\n  nsrouter conntrack -L -p tcp --state ESTABLISHED\n"
        "  nsrouter conntrack -D -s 10.0.1.2\n  nsrouter conntrack -C\n  nsrouter conntrack -F");
    const ControlOptions options(*command);
    // Its options are not of a kind that CLI11 knows: all words go to our own parser.
    command->fallthrough(false);
    command->prefix_command();
    command->callback([command, options, &exit_code] {
        exit_code = guarded([&] {
            ControlOptions control = options;
            const auto words = take_control_option(command->remaining(), control);
            return run(control, words);
        });
    });
}

namespace {

int summarize(const ConntrackArgs& args, std::size_t entries);
int failed(const ControlReply& reply);

int run(const ControlOptions& control, const std::vector<std::string>& words) {
    const auto args = parse_conntrack_args(words);
    if (!args) {
        std::fprintf(stderr, "%s: %s\nTry `nsrouter conntrack --help' for more information.\n",
                     kBanner, args.error().c_str());
        return kUsage;
    }
    std::string body;
    for (const std::string& word : words) {
        body += word + "\n";
    }
    std::size_t entries = 0;
    const bool xml = args->output.xml;
    const ControlReply reply =
        ask_streaming(control.target(), {"POST", "/conntrack", body}, [&](std::string_view text) {
            std::fwrite(text.data(), 1, text.size(), stdout);
            entries += static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
        });
    std::fflush(stdout);
    constexpr std::size_t kXmlFrameLines = 3;  // declaration, opening, closing
    const std::size_t frame = xml ? std::min(entries, kXmlFrameLines) : 0;
    return reply.ok() ? summarize(*args, entries - frame) : failed(reply);
}

int failed(const ControlReply& reply) {
    std::string message = reply.body;
    message.erase(std::min(message.find('\n'), message.size()));
    std::fprintf(stderr, "%s: %s\n", kBanner, message.c_str());
    return kFailure;
}

int summarize(const ConntrackArgs& args, std::size_t entries) {
    const char* subject =
        args.table == ConntrackTable::Expectations ? "expectations" : "flow entries";
    const char* done = nullptr;
    bool empty_is_failure = false;
    switch (args.command) {
        case ConntrackCommand::List:
        case ConntrackCommand::Get:
            done = "shown";
            break;
        case ConntrackCommand::Delete:
            done = "deleted";
            empty_is_failure = true;
            break;
        case ConntrackCommand::Update:
            done = "updated";
            empty_is_failure = true;
            break;
        case ConntrackCommand::Create:
            done = "created";
            break;
        case ConntrackCommand::Flush:
            std::fprintf(
                stderr, "%s: %s table has been emptied.\n", kBanner,
                args.table == ConntrackTable::Expectations ? "expectation" : "connection tracking");
            return kSuccess;
        default:
            return kSuccess;
    }
    std::fprintf(stderr, "%s: %zu %s have been %s.\n", kBanner, entries, subject, done);
    return empty_is_failure && entries == 0 ? kFailure : kSuccess;
}

// --control may also stand behind the words of conntrack(8).
std::vector<std::string> take_control_option(std::vector<std::string> words,
                                             ControlOptions& control) {
    const auto at = std::find(words.begin(), words.end(), "--control");
    if (at != words.end() && at + 1 != words.end()) {
        control.control = *(at + 1);
        words.erase(at, at + 2);
    }
    return words;
}

}  // namespace

}  // namespace nsr::router
