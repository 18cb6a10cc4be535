#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "core/base/words.hpp"
#include "router/capture/rotating_files.hpp"
#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"

namespace nsr::router {
namespace {

struct CaptureArguments {
    std::string file;
    std::string interface;
    std::vector<std::string> filter;
    bool drops = false;
    FollowBounds bounds{.rate = 10000};
    std::string file_size;
    Rotation rotation;
    std::string since;
    bool follow = false;
};

// The last file of -G is full.
struct Enough {};

int usage(const std::string& what) {
    std::fprintf(stderr, "nsrouter: capture: %s\n", what.c_str());
    return kUsage;
}

// What is wrong with the options; empty: nothing.
std::string problem_of(const CaptureArguments& arguments) {
    if (arguments.file == "-" && ::isatty(STDOUT_FILENO) == 1) {
        return "a capture does not go to a terminal: -w FILE";
    }
    if (arguments.follow && arguments.since.empty()) {
        return "--follow goes with --since: without it a capture follows anyway";
    }
    if (arguments.follow && arguments.bounds.count != 0) {
        return "-c counts what --since gives or what follows, not both: leave out --follow or -c";
    }
    return rotation_problem(arguments.file, arguments.rotation, std::time(nullptr));
}

std::string target_of(const CaptureArguments& arguments) {
    std::string target = "/capture?drops=" + std::string(arguments.drops ? "1" : "0");
    target += "&" + in_query(arguments.bounds);
    target += "&interface=" + percent_encode(arguments.interface);
    target += "&filter=" + percent_encode(join(arguments.filter, " "));
    if (!arguments.since.empty()) {
        target += "&since=" + percent_encode(arguments.since);
        target += arguments.follow ? "&follow=1" : "";
    }
    return target;
}

int capture(const ControlOptions& options, CaptureArguments& arguments) {
    if (!arguments.file_size.empty()) {
        const auto size = parse_file_size(arguments.file_size);
        if (!size) {
            return usage("-C takes millions of bytes (10), or a number with k, m or g, not \"" +
                         arguments.file_size + "\"");
        }
        arguments.rotation.bytes = *size;
    }
    if (const std::string wrong = problem_of(arguments); !wrong.empty()) {
        return usage(wrong);
    }
    RotatingFiles files(arguments.file, arguments.rotation, [] { return std::time(nullptr); });
    const auto write = [&](std::string_view bytes) {
        if (!files.write(bytes)) {
            throw Enough{};
        }
    };
    try {
        return print_reply(
            ask_streaming(options.target(), {"GET", target_of(arguments), {}}, write));
    } catch (const Enough&) {
        return kSuccess;
    }
}

void add_rotation(CLI::App& command, CaptureArguments& arguments) {
    constexpr std::uint64_t kMostSeconds = 366ull * 86400;
    command
        .add_option("-C,--file-size", arguments.file_size,
                    "begin another file when one is larger: millions of bytes, or with k, m or g "
                    "behind of 1024, 1024^2, 1024^3; FILE, FILE1, FILE2 ...")
        ->type_name("SIZE");
    command
        .add_option("-G,--rotate-seconds", arguments.rotation.seconds,
                    "begin another file after so many seconds; FILE is a format of strftime(3)")
        ->type_name("SECONDS")
        ->check(CLI::Range(std::uint64_t{1}, kMostSeconds));
    command
        .add_option("-W,--file-count", arguments.rotation.files,
                    "with -C: so many files, and then the first one again; with -G: end after so "
                    "many")
        ->type_name("COUNT")
        ->check(CLI::Range(1, 1000000));
}

}  // namespace

void add_capture_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand(
        "capture",
        "Write packets as they come and leave to a pcapng file, with what became of "
        "each as its comment");
    command->footer(
        "FILTER is that of `nsrouter trace`. A packet that comes and what leaves of it have the\n"
        "same id, in the comment and as epb_packetid.\n\n"
        "Examples:\n"
        "  nsrouter capture -w all.pcapng\n"
        "  nsrouter capture -w drops.pcapng --drops -c 100 in:wan\n"
        "  nsrouter capture -w last.pcapng --since 30s\n"
        "  nsrouter capture -w ring.pcapng -C 10 -W 5\n"
        "  nsrouter capture -w %Y%m%d-%H%M%S.pcapng -G 3600 -W 24\n"
        "  nsrouter capture -w - -i lan tcp port 80 | tshark -r -");
    const ControlOptions options(*command);
    const auto arguments = std::make_shared<CaptureArguments>();
    command->add_option("FILTER", arguments->filter, "which packets; without it all");
    command->add_option("-w,--write", arguments->file, "pcapng file; -: standard output")
        ->required()
        ->check(file_name_problem)
        ->type_name("FILE");
    command
        ->add_option("-i,--interface", arguments->interface,
                     "only what comes or leaves by it; `router`: what begins or ends in the router")
        ->type_name("NAME");
    command->add_flag("--drops", arguments->drops, "only packets that are dropped");
    add_follow_bounds(*command, arguments->bounds);
    add_rotation(*command, *arguments);
    command
        ->add_option("--since", arguments->since,
                     "what has passed since so long ago, such as 500ms, 30s, 5m, and no more; "
                     "needs [router] capture_ring")
        ->type_name("TIME");
    command->add_flag("--follow", arguments->follow, "with --since: go on with what passes");
    command->callback([options, arguments, &exit_code] {
        exit_code = guarded([&] { return capture(options, *arguments); });
    });
}

}  // namespace nsr::router
