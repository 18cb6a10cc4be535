#include "router/commands/conntrack_load.hpp"

#include <cstdio>
#include <fstream>
#include <iostream>
#include <optional>
#include <span>
#include <sstream>
#include <utility>

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
    std::size_t number;
    std::string text;
    const char* misplaced;  // how its command is called, if a file cannot have it
    bool makes;             // a connection, and so goes together with others
    bool flushes;
};

struct LoadProblem {
    std::string message;
    bool usage = false;
};

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

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

// What -R is given.
class CommandFile {
  public:
    explicit CommandFile(std::string path) : path_(std::move(path)) {}

    // What is wrong with it, if it is not to be carried out.
    std::optional<LoadProblem> read();
    // Which line cannot be done, which ends it.
    [[nodiscard]] std::optional<LoadProblem> carry_out(const ControlOptions& control) const;

  private:
    using Lines = std::span<const FileLine>;

    std::optional<LoadProblem> read_from(std::istream& file);
    std::optional<LoadProblem> add(std::size_t number, const std::string& text);
    [[nodiscard]] std::optional<LoadProblem> make(const ControlOptions& control, Lines part) const;
    [[nodiscard]] std::optional<LoadProblem> run(const ControlOptions& control,
                                                 const FileLine& line) const;
    [[nodiscard]] LoadProblem at(std::size_t number, const std::string& message,
                                 bool usage = false) const;

    std::string path_;
    std::vector<FileLine> lines_;
};

std::optional<LoadProblem> CommandFile::read() {
    if (path_ == "-") {
        return read_from(std::cin);
    }
    std::ifstream file(path_);
    return file ? read_from(file)
                : LoadProblem{"Failed to open file " + path_ + " for reading", true};
}

std::optional<LoadProblem> CommandFile::read_from(std::istream& file) {
    std::string text;
    for (std::size_t number = 1; read_line(file, text); ++number) {
        if (says_nothing(text)) {
            continue;
        }
        if (auto problem = add(number, text)) {
            return problem;
        }
    }
    if (file.bad()) {
        return LoadProblem{path_ + " cannot be read, or has a line of more than 64 KiB"};
    }
    for (const FileLine& line : lines_) {
        if (line.misplaced != nullptr) {
            return at(line.number,
                      std::string("Cannot use command `") + line.misplaced + "' with --load-file",
                      true);
        }
    }
    return std::nullopt;
}

std::optional<LoadProblem> CommandFile::add(std::size_t number, const std::string& text) {
    const auto words = split_line(text);
    if (!words) {
        return at(number, words.error(), true);
    }
    const ConntrackLine line = read_conntrack_line(*words);
    for (const std::string& warning : line.warnings) {
        std::fprintf(stderr, "%s\n", warning.c_str());
    }
    if (!line.problem.empty()) {
        return at(number, line.problem, line.usage);
    }
    lines_.push_back({number, text, misplaced(line.args), ConntrackLoad::takes(line.args),
                      line.args.command == Command::Flush});
    return std::nullopt;
}

std::optional<LoadProblem> CommandFile::carry_out(const ControlOptions& control) const {
    for (auto line = lines_.begin(); line != lines_.end();) {
        const auto first = line;
        std::size_t bytes = 0;
        for (; line != lines_.end() && line->makes && bytes < kPartBytes; ++line) {
            bytes += line->text.size();
        }
        if (auto problem = first == line ? run(control, *line++) : make(control, {first, line})) {
            return problem;
        }
    }
    return std::nullopt;
}

// Lines that make connections.
std::optional<LoadProblem> CommandFile::make(const ControlOptions& control, Lines part) const {
    std::string body = "-R\n\n";
    for (const FileLine& line : part) {
        body += line.text + "\n";
    }
    const ControlReply reply = ask(control.target(), {"POST", "/conntrack", body});
    if (!reply.ok()) {
        return at(part.front().number, "of what begins here: " + first_line(reply.body));
    }
    if (reply.result == "0") {
        return std::nullopt;
    }
    std::istringstream result(reply.result);
    int exit_code = 0;
    std::size_t line = 0;
    std::string why;
    if (result >> exit_code >> line >> why && line - 1 < part.size()) {
        return at(part[line - 1].number, percent_decode(why));
    }
    return LoadProblem{"the router did not say what became of it"};
}

// Any other line.
std::optional<LoadProblem> CommandFile::run(const ControlOptions& control,
                                            const FileLine& line) const {
    const ControlReply reply = ask_conntrack(control, *split_line(line.text));
    print_refusals(reply);
    if (!reply.ok()) {
        return at(line.number, first_line(reply.body));
    }
    if (line.flushes) {
        std::fprintf(stderr, "%s: connection tracking table has been emptied.\n", kConntrackBanner);
    }
    return std::nullopt;
}

LoadProblem CommandFile::at(std::size_t number, const std::string& message, bool usage) const {
    const std::string file = path_ == "-" ? "standard input" : path_;
    return {file + ":" + std::to_string(number) + ": " + message, usage};
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

int conntrack_failed(const std::string& message, bool usage) {
    std::fprintf(stderr, "%s: %s\n", kConntrackBanner, message.c_str());
    if (usage) {
        std::fprintf(stderr,
                     "Try `nsrouter conntrack -h' or 'nsrouter conntrack --help' for more "
                     "information.\n");
    }
    return usage ? kUsage : kFailure;
}

int load_conntrack_file(const ControlOptions& control, const std::string& path) {
    CommandFile file(path);
    auto problem = file.read();
    if (!problem) {
        problem = file.carry_out(control);
    }
    return problem ? conntrack_failed(problem->message, problem->usage) : kSuccess;
}

}  // namespace nsr::router
