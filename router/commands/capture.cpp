#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "core/base/words.hpp"
#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"

namespace nsr::router {
namespace {

struct CaptureArguments {
    std::string file;
    std::string interface;
    std::vector<std::string> filter;
    bool drops = false;
    std::uint64_t rate = 10000;
    std::uint64_t count = 0;
};

struct CloseFile {
    void operator()(std::FILE* file) const {
        if (file != stdout) {
            std::fclose(file);
        }
    }
};

int capture(const ControlOptions& options, const CaptureArguments& arguments) {
    if (arguments.file == "-" && ::isatty(STDOUT_FILENO) == 1) {
        std::fputs("nsrouter: a capture does not go to a terminal: -w FILE\n", stderr);
        return kUsage;
    }
    std::string target = "/capture?drops=" + std::string(arguments.drops ? "1" : "0");
    target += "&rate=" + std::to_string(arguments.rate);
    target += "&count=" + std::to_string(arguments.count);
    target += "&interface=" + percent_encode(arguments.interface);
    target += "&filter=" + percent_encode(join(arguments.filter, " "));
    // The file is made when the router has begun to answer.
    std::unique_ptr<std::FILE, CloseFile> out;
    const auto write = [&](std::string_view bytes) {
        if (out == nullptr) {
            out.reset(arguments.file == "-" ? stdout : std::fopen(arguments.file.c_str(), "wb"));
        }
        if (out == nullptr ||
            std::fwrite(bytes.data(), 1, bytes.size(), out.get()) != bytes.size() ||
            std::fflush(out.get()) != 0) {
            throw std::runtime_error(arguments.file + ": " + std::strerror(errno));
        }
    };
    return print_reply(ask_streaming(options.target(), {"GET", target, {}}, write));
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
        "  nsrouter capture -w - -i lan tcp port 80 | tshark -r -");
    const ControlOptions options(*command);
    const auto arguments = std::make_shared<CaptureArguments>();
    command->add_option("FILTER", arguments->filter, "which packets; without it all");
    command->add_option("-w,--write", arguments->file, "pcapng file; -: standard output")
        ->required()
        ->type_name("FILE");
    command
        ->add_option("-i,--interface", arguments->interface,
                     "only what comes or leaves by it; `router`: what begins or ends in the router")
        ->type_name("NAME");
    command->add_flag("--drops", arguments->drops, "only packets that are dropped");
    command->add_option("-c,--count", arguments->count, "end after so many packets")
        ->type_name("N");
    command
        ->add_option("-r,--rate", arguments->rate,
                     "so many packets a second at most; what is left out is counted")
        ->type_name("N")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    command->callback([options, arguments, &exit_code] {
        exit_code = guarded([&] { return capture(options, *arguments); });
    });
}

}  // namespace nsr::router
