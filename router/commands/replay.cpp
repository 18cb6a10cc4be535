#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>

#include "core/base/words.hpp"
#include "router/bundle/bundle.hpp"
#include "router/bundle/past_packets.hpp"
#include "router/commands/cli.hpp"
#include "router/commands/replay_files.hpp"
#include "router/config/load.hpp"
#include "router/config/section.hpp"
#include "router/replay/replay.hpp"
#include "router/tools/conntrack/saved_table.hpp"

namespace nsr::router {
namespace {

struct Arguments {
    std::string config;
    std::string bundle;
    std::string in;
    std::string out;
    std::string conntrack;
    std::string stats;
    std::string events;
    std::string filter;
    std::string state;
    double start = -1;
    std::optional<std::string> map;  // "eth0=lan,eth1=wan"
    ReplayOptions options;
};

int replay_bundle(Arguments& arguments);
int replay_into_files(const Arguments& arguments, const Config& config, Capture& capture);
ReplayResult play(const Arguments& arguments, const Config& config, Capture& capture,
                  ReplayFiles& outputs);

int complain(const std::string& what) {
    std::fprintf(stderr, "nsrouter: %s\n", what.c_str());
    return kFailure;
}

// The same file, or two names of it. Devices such as /dev/null may be given as often as one likes.
bool same_file(const std::string& a, const std::string& b) {
    struct stat first {};
    struct stat second {};
    const bool known = ::stat(a.c_str(), &first) == 0;
    if (known != (::stat(b.c_str(), &second) == 0)) {
        return false;
    }
    if (known) {
        return S_ISREG(first.st_mode) && first.st_ino == second.st_ino &&
               first.st_dev == second.st_dev;
    }
    std::error_code ignored;
    const auto place = [&](const std::string& file) {
        return std::filesystem::weakly_canonical(std::filesystem::absolute(file, ignored), ignored);
    };
    return place(a) == place(b);
}

// Nothing may be read and written, or be written twice. Text may share standard output.
std::string check_files(const Arguments& arguments) {
    const std::pair<const char*, const std::string*> files[] = {
        {"the configuration", &arguments.config},
        {"--in", &arguments.in},
        {"--state", &arguments.state},
        {"--out", &arguments.out},
        {"--conntrack", &arguments.conntrack},
        {"--stats", &arguments.stats},
        {"--events", &arguments.events}};
    constexpr std::size_t kRead = 3;  // the others are written
    for (std::size_t i = kRead; i < std::size(files); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const std::string& a = *files[j].second;
            const std::string& b = *files[i].second;
            if (!a.empty() && !b.empty() && a != "-" && b != "-" && same_file(a, b)) {
                return std::string(files[j].first) + " and " + files[i].first +
                       " are the same file: " + b;
            }
        }
    }
    if (arguments.out == "-" && (arguments.conntrack == "-" || arguments.stats == "-" ||
                                 arguments.events == "-" || arguments.options.trace)) {
        return "--out - needs standard output for itself; write the text to files";
    }
    return {};
}

// Nothing that the configuration names may be written either.
std::string check_named_files(const Arguments& arguments, const Config& config) {
    const std::pair<const char*, const std::string*> written[] = {
        {"--out", &arguments.out},
        {"--conntrack", &arguments.conntrack},
        {"--stats", &arguments.stats},
        {"--events", &arguments.events}};
    for (const auto& [option, file] : written) {
        for (const std::string& named : config.files) {
            if (!file->empty() && *file != "-" && same_file(*file, named)) {
                return std::string(option) + " is a file that the configuration names: " + *file;
            }
        }
    }
    return {};
}

std::string unknown_interface(const char* option, const std::string& name, const Config& config) {
    return std::string(option) + ": the configuration has no interface \"" + name + "\", but " +
           join(config.interface_names());
}

std::string check_values(const Arguments& arguments, const Config& config) {
    if (std::isnan(arguments.start)) {
        return "--start takes seconds since 1970, not nan";
    }
    const std::string& interface = arguments.options.interface;
    if (!interface.empty() && config.find_interface(interface) == nullptr) {
        return unknown_interface("--interface", interface, config);
    }
    for (const auto& [name, mapped] : arguments.options.interface_names) {
        if (config.find_interface(mapped) == nullptr) {
            return unknown_interface("--map", mapped, config);
        }
    }
    return {};
}

// "eth0=lan": what the capture calls it, and what the configuration does. The last '=' counts: a
// name in a capture may be anything.
std::string read_map(Arguments& arguments) {
    if (!arguments.map) {
        return {};
    }
    for (const std::string_view pair : split(*arguments.map, ',')) {
        const std::size_t equals = pair.rfind('=');
        if (equals == std::string_view::npos || equals == 0 || equals + 1 == pair.size()) {
            return "--map takes NAME=INTERFACE[,NAME=INTERFACE...], not \"" + std::string(pair) +
                   "\"";
        }
        const auto [at, is_new] = arguments.options.interface_names.emplace(
            pair.substr(0, equals), pair.substr(equals + 1));
        if (!is_new) {
            return "--map names \"" + at->first + "\" twice";
        }
    }
    return {};
}

std::string seed_problem(const std::string& text) {
    std::uint64_t seed = 0;
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, seed);
    return read.ec == std::errc() && read.ptr == end
               ? std::string()
               : "takes a number from 0 to 18446744073709551615, not \"" + text + "\"";
}

int usage(const std::string& what) {
    complain(what);
    return kUsage;
}

void print_summary(const ReplayResult& result, bool start_given) {
    std::fprintf(stderr, "%llu packets in, %llu out\n",
                 static_cast<unsigned long long>(result.packets_in),
                 static_cast<unsigned long long>(result.packets_out));
    if (!result.skipped.empty()) {
        std::fprintf(stderr, "%s\n", result.skipped.c_str());
    }
    if (result.packets_before_start != 0) {
        std::fprintf(stderr, "%llu packets are older than %s: they entered at time 0\n",
                     static_cast<unsigned long long>(result.packets_before_start),
                     start_given ? "--start" : "the second in which the capture begins");
    }
}

bool read_state(Arguments& arguments) {
    if (arguments.state.empty()) {
        return true;
    }
    auto table = read_saved_table(arguments.state);
    if (!table) {
        std::fputs(in_lines(table.error()).c_str(), stderr);
        return false;
    }
    std::fputs(warnings_in_lines(left_out_of(*table)).c_str(), stderr);
    arguments.options.begin = begin_with(std::move(*table));
    return true;
}

// Where the configuration and the packets come from; empty: that is clear.
std::string check_sources(const Arguments& arguments) {
    const bool files = !arguments.config.empty() && !arguments.in.empty();
    if (arguments.bundle.empty()) {
        return files ? "" : "replay takes CONFIG and --in FILE, or --bundle FILE";
    }
    return arguments.config.empty() && arguments.in.empty() && arguments.state.empty()
               ? ""
               : "--bundle has a configuration and packets: CONFIG and --in go without it, and "
                 "--state";
}

int command_replay(Arguments& arguments) {
    if (const std::string wrong = check_sources(arguments); !wrong.empty()) {
        return usage(wrong);
    }
    if (!arguments.bundle.empty()) {
        arguments.in = arguments.bundle;
    }
    if (const std::string wrong = read_map(arguments); !wrong.empty()) {
        return usage(wrong);
    }
    if (const std::string wrong = check_files(arguments); !wrong.empty()) {
        return usage(wrong);
    }
    if (arguments.start >= 0) {
        arguments.options.start_ns = std::llround(arguments.start * 1e9);
    }
    if (!arguments.bundle.empty()) {
        return replay_bundle(arguments);
    }
    const Result<Config, ConfigErrors> config = load_config(arguments.config, kReplayMemoryBytes);
    if (!config) {
        std::fputs(in_lines(config.error()).c_str(), stderr);
        return kFailure;
    }
    if (const std::string wrong = check_values(arguments, *config); !wrong.empty()) {
        return usage(wrong);
    }
    if (const std::string wrong = check_named_files(arguments, *config); !wrong.empty()) {
        return usage(wrong);
    }
    if (!read_state(arguments)) {
        return kFailure;
    }
    const auto capture = open_capture(arguments.in, arguments.filter);
    return capture ? replay_into_files(arguments, *config, **capture) : complain(capture.error());
}

int replay_bundle(Arguments& arguments) {
    const auto bundle = open_bundle(arguments.bundle);
    if (!bundle) {
        return complain(bundle.error());
    }
    const auto config = config_of(*bundle, kReplayMemoryBytes);
    if (!config) {
        std::fputs(in_lines(config.error()).c_str(), stderr);
        return kFailure;
    }
    if (const std::string wrong = check_values(arguments, *config); !wrong.empty()) {
        return usage(wrong);
    }
    arguments.options.cut_packets = true;
    arguments.options.begin = [&](Router& router, Instant now) {
        return Begun{begin_network(*bundle, *config, router, now), {}};
    };
    const auto capture = packets_of(*bundle, *config, arguments.filter);
    return capture ? replay_into_files(arguments, *config, **capture)
                   : complain(arguments.bundle + ": " + capture.error());
}

int replay_into_files(const Arguments& arguments, const Config& config, Capture& capture) {
    ReplayFiles outputs({arguments.out, arguments.conntrack, arguments.stats, arguments.events});
    if (const std::string bad = outputs.begin(); !bad.empty()) {
        return complain(bad);
    }
    const ReplayResult result = play(arguments, config, capture, outputs);
    if (!result.refused.empty()) {
        std::fputs(result.refused.c_str(), stderr);
        return kFailure;
    }
    if (const std::string bad = outputs.keep(); !bad.empty()) {
        return complain(bad);
    }
    print_summary(result, arguments.start >= 0);
    if (!result.error.empty()) {
        return complain(arguments.in + ": " + result.error);
    }
    return result.complaints.empty() ? kSuccess : kFailure;
}

ReplayResult play(const Arguments& arguments, const Config& config, Capture& capture,
                  ReplayFiles& outputs) {
    ReplayFileOutput output(outputs, config.interface_names());
    ReplayOptions options = arguments.options;
    options.events = outputs.events.stream() != nullptr;
    ReplayResult result = run_replay(config, capture, options, output);
    if (outputs.stats.stream() != nullptr) {
        *outputs.stats.stream() << result.stats;
    }
    for (const std::string& complaint : result.complaints) {
        complain(complaint);
    }
    return result;
}

constexpr const char* kFooter =
    R"(Packets enter by the interface that the capture names (if_name), at
their time stamps, which are the clock. FILE may be -: standard input for
--in, standard output for the others.

Examples:
  nsrouter replay demo.toml --in in.pcapng --out out.pcapng
  nsrouter replay demo.toml --in in.pcapng --conntrack - --stats -
  nsrouter replay demo.toml --in in.pcapng --map eth0=lan,eth1=wan --stats -
  nsrouter replay demo.toml --in lan.pcap --interface lan --filter 'udp port 53' --trace
  nsrouter replay --bundle bug.tar --trace)";

}  // namespace

void add_replay_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand(
        "replay", "Run a capture through the router on a virtual clock, without root.");
    auto arguments = std::make_shared<Arguments>();
    command->add_option("CONFIG", arguments->config, "the configuration file (TOML)");
    command
        ->add_option("--bundle", arguments->bundle,
                     "configuration, rules and packets of what `nsrouter bundle` wrote")
        ->check(file_name_problem)
        ->type_name("FILE");
    command->add_option("--in", arguments->in, "capture to read: pcapng or pcap")
        ->check(file_name_problem)
        ->type_name("FILE");
    command->add_option("--out", arguments->out, "pcapng of what leaves the router")
        ->check(file_name_problem)
        ->type_name("FILE");
    command->add_option("--conntrack", arguments->conntrack, "connection table at checkpoints")
        ->check(file_name_problem)
        ->type_name("FILE");
    command->add_option("--stats", arguments->stats, "counters and rules at the end")
        ->check(file_name_problem)
        ->type_name("FILE");
    command
        ->add_option("--events", arguments->events,
                     "what happens to connections, as conntrack -E prints it")
        ->check(file_name_problem)
        ->type_name("FILE");
    command->add_flag("--trace", arguments->options.trace, "print what happens to each packet");
    command->add_option("--seed", arguments->options.seed, "of all randomness (default 1)")
        ->type_name("N")
        ->check(seed_problem);
    command
        ->add_option("--start", arguments->start,
                     "time 0 of the clock, in seconds since 1970 (default: the second in which "
                     "the capture begins)")
        ->type_name("T")
        ->check(CLI::Range(0.0, 9e9));
    command
        ->add_option("--interface", arguments->options.interface,
                     "where packets arrive whose capture does not say it")
        ->type_name("NAME");
    command
        ->add_option("--map", arguments->map,
                     "interfaces that the capture calls otherwise than the configuration")
        ->type_name("NAME=INTERFACE,...");
    command->add_option("--filter", arguments->filter, "only packets that fit this expression")
        ->type_name("EXPR");
    command
        ->add_option("--state", arguments->state,
                     "the connections that it begins with: what `conntrack -L` prints (also -o "
                     "save), or /proc/net/nf_conntrack")
        ->check(file_name_problem)
        ->type_name("TABLE");
    command->footer(kFooter);
    command->callback([arguments, &exit_code] { exit_code = command_replay(*arguments); });
}

}  // namespace nsr::router
