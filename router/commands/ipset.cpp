#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"
#include "router/commands/sink.hpp"
#include "router/tools/ipset/command.hpp"

namespace nsr::router {
namespace {

constexpr const char* kHelp = R"(Commands:
  create SETNAME TYPENAME [OPTIONS]     -N
  add SETNAME ENTRY [OPTIONS]           -A
  del SETNAME ENTRY                     -D
  test SETNAME ENTRY                    -T   exit code 0: it is in the set, 1: it is not
  destroy [SETNAME]                     -X, x
  list [SETNAME]                        -L
  save [SETNAME]                        -S
  restore                               -R   what `save` prints, from standard input
  flush [SETNAME]                       -F
  rename FROM TO                        -E, e
  swap FROM TO                          -W, w
Types: hash:ip hash:net hash:ip,port hash:net,port hash:ip,port,ip hash:ip,port,net hash:net,net
       hash:net,port,net hash:net,iface hash:ip,mark hash:mac hash:ip,mac
       bitmap:ip bitmap:ip,mac bitmap:port list:set
Options: -! (-exist) -q (-quiet) -s (-sorted) -n (-name) -t (-terse) -o plain|save|xml -f FILE
  --control NAME|PATH|HOST:PORT, --token TOKEN   which router
What changes here lasts until the router stops; `reload` makes the sets of the file again that the
file describes otherwise than before.
Exit codes: 0 done, 1 it failed, or is not in the set, 2 wrong usage.
Examples:
  nsrouter ipset create blocked hash:net timeout 3600
  nsrouter ipset add blocked 198.51.100.0/24
  nsrouter ipset test blocked 198.51.100.7
  nsrouter ipset save > sets.ipset
  nsrouter ipset -! restore < sets.ipset
  nsrouter ipset swap blocked blocked-new)";

// As much of a restored text goes in one request, so that it fits into one.
constexpr std::size_t kPartBytes = std::size_t{512} * 1024;

struct Outcome {
    int exit_code = kSuccess;
    std::string errors;
};

// "1 ipset%20v7.17%3A..."
Outcome outcome_of(const ControlReply& reply) {
    if (!reply.ok()) {
        return {kFailure, "nsrouter: " + reply.body};
    }
    Outcome outcome;
    std::istringstream in(reply.result);
    std::string errors;
    in >> outcome.exit_code >> errors;
    outcome.errors = percent_decode(errors);
    return outcome;
}

using Take = std::function<void(std::string_view)>;

Outcome ask_for(const ControlTarget& target, const std::vector<std::string>& words,
                std::string_view input, std::size_t lines, const Take& take) {
    const std::string path = "/ipset?line=" + std::to_string(lines);
    return outcome_of(
        ask_streaming(target, {"POST", path, one_a_line(words) + "\n" + std::string(input)}, take));
}

// Part by part, in whole lines; ends with the first that fails.
Outcome restore(const ControlTarget& target, const std::vector<std::string>& words,
                std::istream& in, const Take& take) {
    Outcome outcome;
    std::size_t lines = 0;
    std::string part;
    std::string line;
    std::size_t in_part = 0;
    bool more = true;
    while (more && outcome.exit_code == kSuccess) {
        more = static_cast<bool>(std::getline(in, line));
        if (more) {
            part += line + "\n";
            ++in_part;
        }
        if (!part.empty() && (!more || part.size() >= kPartBytes)) {
            Outcome now = ask_for(target, words, part, lines, take);
            outcome.errors += now.errors;
            outcome.exit_code = now.exit_code;
            lines += std::exchange(in_part, 0);
            part.clear();
        }
    }
    return outcome;
}

int fail(const std::string& what) {
    std::fprintf(stderr, "nsrouter: %s\n", what.c_str());
    return kFailure;
}

int finish(const Outcome& outcome) {
    std::fflush(stdout);
    std::fputs(outcome.errors.c_str(), stderr);
    return outcome.exit_code;
}

void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

int run_restore(const ControlTarget& target, const std::vector<std::string>& words,
                const std::string& path) {
    if (path == "-") {
        return finish(restore(target, words, std::cin, print));
    }
    std::ifstream in(path);
    if (!in || std::filesystem::is_directory(path)) {
        return fail(path + ": " + std::strerror(in ? EISDIR : errno));
    }
    return finish(restore(target, words, in, print));
}

// A file that was there stays unless the command is done.
int run_into(const ControlTarget& target, const std::vector<std::string>& words,
             const std::string& path) {
    Sink file(path);
    if (const std::string bad = begin_all({&file}); !bad.empty()) {
        return fail(bad);
    }
    const Outcome outcome =
        ask_for(target, words, {}, 0, [&](std::string_view text) { *file.stream() << text; });
    if (outcome.exit_code == kSuccess) {
        if (const std::string bad = keep_all({&file}); !bad.empty()) {
            return fail(bad);
        }
    }
    return finish(outcome);
}

int run(const ControlOptions& control, const std::vector<std::string>& words) {
    for (const std::string& word : words) {
        if (word.find('\n') != std::string::npos) {
            std::fputs("ipset v7.17: a word of a command cannot hold a line break\n", stderr);
            return kUsage;
        }
    }
    const auto args = parse_ipset_args(words);
    if (!args) {
        std::fputs(to_string(args.error()).c_str(), stderr);
        return args.error().exit_code;
    }
    if (args->command == IpsetCommand::Version || args->command == IpsetCommand::Help) {
        std::fputs(args->command == IpsetCommand::Help ? kHelp : "", stdout);
        std::fputs(args->command == IpsetCommand::Help ? "\n" : std::string(kIpsetVersion).c_str(),
                   stdout);
        return kSuccess;
    }
    const std::string file = args->file.value_or("-");
    if (const std::string wrong = file_name_problem(file); !wrong.empty()) {
        fail("-f " + wrong);
        return kUsage;
    }
    return args->command == IpsetCommand::Restore ? run_restore(control.target(), words, file)
                                                  : run_into(control.target(), words, file);
}

}  // namespace

void add_ipset_command(CLI::App& app, int& exit_code) {
    add_word_command(
        app, {"ipset", "Show and change address sets, with the words of ipset(8)", kHelp, run},
        exit_code);
}

}  // namespace nsr::router
