#include "router/commands/conntrack_load.hpp"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>

#include "router/base/text_file.hpp"
#include "router/commands/cli.hpp"
#include "router/commands/conntrack_events.hpp"
#include "router/tools/conntrack/answer.hpp"
#include "router/tools/conntrack/load.hpp"
#include "router/tools/conntrack/parse.hpp"

namespace nsr::router {
namespace {

using Command = ConntrackCommand;
using Words = std::vector<std::string>;

// As much of a file goes in one request.
constexpr std::size_t kPartBytes = std::size_t{128} * 1024;

// What is left of a line once it is read: a file may have a million.
struct FileLine {
    std::string text;
    const char* misplaced;  // how its command is called, if a file cannot have it
    bool makes;             // a connection, and so goes together with others
    bool flushes;
};

int failed(const std::string& message, bool usage) {
    std::fprintf(stderr, "%s: %s\n", kConntrackBanner, message.c_str());
    if (usage) {
        std::fprintf(stderr,
                     "Try `nsrouter conntrack -h' or 'nsrouter conntrack --help' for more "
                     "information.\n");
    }
    return usage ? kUsage : kFailure;
}

// How a command that a file cannot have is called; null: it can have it.
const char* misplaced(const ConntrackArgs& args) {
    const bool expect = args.table == ConntrackTable::Expectations;
    switch (args.command) {
        case Command::Create:
            return expect ? "-I expect" : nullptr;
        case Command::Delete:
            return expect ? "-D expect" : nullptr;
        case Command::Flush:
            return expect ? "-F expect" : nullptr;
        case Command::Add:
        case Command::Update:
            return nullptr;
        case Command::List:
            return expect ? "-L expect" : "-L";
        case Command::Get:
            return expect ? "-G expect" : "-G";
        case Command::Events:
            return expect ? "-E expect" : "-E";
        case Command::Count:
            return expect ? "-C expect" : "-C";
        case Command::Statistics:
            return expect ? "-S expect" : "-S";
        case Command::Version:
            return "-V";
        case Command::Help:
            return "-h";
        case Command::None:
            break;
    }
    return "unknown";
}

// False: there is no other one, or it is longer than any may be, which `file` tells by bad().
bool read_line(std::istream& file, std::string& line) {
    constexpr std::size_t kLongest = std::size_t{64} * 1024;
    line.clear();
    for (char next = 0; file.get(next) && next != '\n';) {
        if (line.size() == kLongest) {
            file.setstate(std::ios::badbit);
            return false;
        }
        line += next;
    }
    return file.good() || !line.empty();
}

// An exit code if the file is not to be carried out.
std::optional<int> read_lines(std::istream& file, const std::string& path,
                              std::vector<FileLine>& lines) {
    std::string text;
    while (read_line(file, text)) {
        if (says_nothing(text)) {
            continue;
        }
        const auto words = split_line(text);
        if (!words) {
            return failed(words.error(), true);
        }
        const ConntrackLine line = read_conntrack_line(*words);
        for (const std::string& warning : line.warnings) {
            std::fprintf(stderr, "%s\n", warning.c_str());
        }
        if (!line.problem.empty()) {
            return failed(line.problem, line.usage);
        }
        lines.push_back({text, misplaced(line.args), ConntrackLoad::takes(line.args),
                         line.args.command == Command::Flush});
    }
    if (file.bad()) {
        return failed(path + " cannot be read, or has a line of more than 64 KiB", false);
    }
    for (const FileLine& line : lines) {
        if (line.misplaced != nullptr) {
            return failed(
                std::string("Cannot use command `") + line.misplaced + "' with --load-file", true);
        }
    }
    return std::nullopt;
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

// Several lines that make connections. Why one of them does not, which ends it.
std::optional<std::string> load_part(const ControlOptions& control, const std::string& part) {
    const ControlReply reply = ask(control.target(), {"POST", "/conntrack", "-R\n\n" + part});
    if (!reply.ok()) {
        return first_line(reply.body);
    }
    if (reply.result.starts_with("0")) {
        return std::nullopt;
    }
    return reply.result.starts_with("1 ") ? percent_decode(reply.result.substr(2))
                                          : "the router did not say what became of it";
}

// Any other line.
std::optional<std::string> run_line(const ControlOptions& control, const FileLine& line) {
    const ControlReply reply = ask_conntrack(control, *split_line(line.text));
    print_refusals(reply);
    if (!reply.ok()) {
        return first_line(reply.body);
    }
    if (line.flushes) {
        std::fprintf(stderr, "%s: connection tracking table has been emptied.\n", kConntrackBanner);
    }
    return std::nullopt;
}

}  // namespace

ControlReply ask_conntrack(const ControlOptions& control, const Words& words, bool dry_run) {
    ControlReply reply = ask_streaming(
        control.target(),
        {"POST", dry_run ? "/conntrack?dry-run=1" : "/conntrack", one_a_line(words)},
        [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); });
    std::fflush(stdout);
    return reply;
}

void print_refusals(const ControlReply& reply) {
    const auto print = [](std::size_t times, conntrack::Refusal refusal) {
        for (std::size_t i = 0; i < times; ++i) {
            std::fprintf(stderr, "Operation failed: %s\n", refusal_text(refusal, Command::Update));
        }
    };
    print(reply.not_permitted, conntrack::Refusal::NotPermitted);
    print(reply.busy, conntrack::Refusal::Busy);
}

int load_conntrack_file(const ControlOptions& control, const std::string& path) {
    std::ifstream file;
    if (path != "-") {
        file.open(path);
        if (!file) {
            return failed("Failed to open file " + path + " for reading", true);
        }
    }
    std::vector<FileLine> lines;
    if (const auto code = read_lines(path == "-" ? std::cin : file, path, lines)) {
        return *code;
    }
    for (auto line = lines.begin(); line != lines.end();) {
        std::string part;
        for (; line != lines.end() && line->makes && part.size() < kPartBytes; ++line) {
            part += line->text + "\n";
        }
        if (const auto error =
                part.empty() ? run_line(control, *line++) : load_part(control, part)) {
            return failed(*error, false);
        }
    }
    return kSuccess;
}

}  // namespace nsr::router
