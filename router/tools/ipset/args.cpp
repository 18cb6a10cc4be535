#include "router/tools/ipset/args.hpp"

#include <algorithm>
#include <array>

#include "core/sets/element.hpp"

namespace nsr::router {

namespace {

struct CommandRow {
    IpsetCommand command;
    std::string_view name;
    std::string_view other;    // another name
    std::string_view letters;  // an old spelling
    unsigned needed;           // arguments that must be there
    unsigned most;             // arguments that are names; options may follow
    bool options = false;
};
constexpr std::array kCommands = std::to_array<CommandRow>({
    {IpsetCommand::Create, "create", "new", "-N", 2, 2, true},
    {IpsetCommand::Add, "add", "", "-A", 2, 2, true},
    {IpsetCommand::Del, "del", "", "-D", 2, 2, true},
    {IpsetCommand::Test, "test", "", "-T", 2, 2, true},
    {IpsetCommand::Destroy, "destroy", "x", "-X", 0, 1},
    {IpsetCommand::List, "list", "", "-L", 0, 1},
    {IpsetCommand::Save, "save", "", "-S", 0, 1},
    {IpsetCommand::Restore, "restore", "", "-R", 0, 0},
    {IpsetCommand::Flush, "flush", "", "-F", 0, 1},
    {IpsetCommand::Rename, "rename", "e", "-E", 2, 2},
    {IpsetCommand::Swap, "swap", "w", "-W", 2, 2},
    {IpsetCommand::Help, "help", "-h", "-H", 0, 1},
    {IpsetCommand::Version, "version", "-v", "-V", 0, 0},
    {IpsetCommand::Quit, "quit", "", "", 0, 0},
});

// By its name with or without dashes before it, by how it begins, or by its letter.
const CommandRow* find_command(std::string_view word) {
    const bool dashes = word.starts_with("--");
    const std::string_view name = dashes ? word.substr(2) : word;
    for (const CommandRow& row : kCommands) {
        const bool begins =
            !name.empty() && !dashes && (row.name.starts_with(name) || row.other.starts_with(name));
        if (word == row.letters || name == row.name || begins) {
            return &row;
        }
    }
    return nullptr;
}

IpsetProblem usage(std::string text) {
    return {std::move(text), 2};
}

class ArgsReader {
  public:
    explicit ArgsReader(const std::vector<std::string>& words) : words_(words) {}

    Result<IpsetArgs, IpsetProblem> read();

  private:
    // What was taken: a global option, or nothing.
    enum class Taken : std::uint8_t { No, Yes, Wrong };
    Taken take_global();
    Taken take_value(std::string_view option);
    Taken set_output(std::string_view mode);
    bool take_arguments(const CommandRow& row);
    [[nodiscard]] IpsetProblem missing(const CommandRow& row, std::size_t given) const;

    const std::vector<std::string>& words_;
    std::size_t at_ = 0;
    IpsetArgs args_;
    IpsetProblem problem_;
};

Result<IpsetArgs, IpsetProblem> ArgsReader::read() {
    Taken taken = Taken::Yes;
    while (at_ < words_.size() && (taken = take_global()) == Taken::Yes) {
    }
    if (taken == Taken::Wrong) {
        return problem_;
    }
    if (at_ == words_.size()) {
        return usage("No command specified.");
    }
    const std::string& word = words_[at_++];
    const CommandRow* row = find_command(word);
    if (row == nullptr) {
        return usage("No command specified: unknown argument " + word);
    }
    args_.command = row->command;
    if (!take_arguments(*row)) {
        return problem_;
    }
    return std::move(args_);
}

bool ArgsReader::take_arguments(const CommandRow& row) {
    std::size_t given = 0;
    while (at_ < words_.size()) {
        const Taken taken = take_global();
        if (taken == Taken::Wrong) {
            return false;
        }
        if (taken == Taken::Yes) {
            continue;
        }
        const std::string& word = words_[at_++];
        if (given < row.most) {
            (given == 0 ? args_.set.emplace() : args_.second) = word;
            ++given;
        } else if (row.options) {
            args_.options.push_back(word);
        } else {
            problem_ = usage("Unknown argument " + word);
            return false;
        }
    }
    if (given < row.needed) {
        problem_ = missing(row, given);
        return false;
    }
    for (const std::string* name : {args_.set ? &*args_.set : nullptr, &args_.second}) {
        const bool is_name = name == nullptr || name != &args_.second ||
                             row.command == IpsetCommand::Rename ||
                             row.command == IpsetCommand::Swap;
        if (name != nullptr && is_name && name->size() > sets::kMaxNameBytes) {
            problem_ = {"Syntax error: setname '" + *name + "' is longer than " +
                        std::to_string(sets::kMaxNameBytes) + " characters"};
            return false;
        }
    }
    return true;
}

IpsetProblem ArgsReader::missing(const CommandRow& row, std::size_t given) const {
    return usage(std::string("Missing ") + (given == 0 ? "" : "second ") +
                 "mandatory argument to command " + std::string(row.name));
}

ArgsReader::Taken ArgsReader::take_global() {
    struct Flag {
        std::string_view letter;
        std::string_view name;
        bool IpsetArgs::*flag;
    };
    static constexpr std::array kFlags = std::to_array<Flag>({
        {"-!", "exist", &IpsetArgs::exist},
        {"-q", "quiet", &IpsetArgs::quiet},
        {"-s", "sorted", &IpsetArgs::sorted},
        {"-t", "terse", &IpsetArgs::terse},
        {"-n", "name", &IpsetArgs::names},
        {"-r", "resolve", nullptr},  // addresses are never resolved here
    });
    const std::string_view word = words_[at_];
    const std::size_t dashes = std::min<std::size_t>(word.find_first_not_of('-'), word.size());
    const std::string_view name = dashes == 1 || dashes == 2 ? word.substr(dashes) : "";
    for (const Flag& flag : kFlags) {
        if (word == flag.letter || (!name.empty() && name == flag.name)) {
            if (flag.flag != nullptr) {
                args_.*flag.flag = true;
            }
            ++at_;
            return Taken::Yes;
        }
    }
    if (word == "-o" || name == "output" || word == "-f" || name == "file") {
        return take_value(word == "-o" || name == "output" ? "-o" : "-f");
    }
    return Taken::No;
}

ArgsReader::Taken ArgsReader::take_value(std::string_view option) {
    if (++at_ == words_.size()) {
        problem_ = usage("Missing mandatory argument to option " + std::string(option));
        return Taken::Wrong;
    }
    const std::string& value = words_[at_++];
    if (option == "-o") {
        return set_output(value);
    }
    args_.file = value;
    return Taken::Yes;
}

ArgsReader::Taken ArgsReader::set_output(std::string_view mode) {
    constexpr std::array<std::string_view, 3> kModes = {"plain", "save", "xml"};
    const auto* found = std::find(kModes.begin(), kModes.end(), mode);
    if (found == kModes.end()) {
        problem_ = {"Syntax error: unknown output mode '" + std::string(mode) + "'"};
        return Taken::Wrong;
    }
    args_.output = static_cast<IpsetOutput>(found - kModes.begin() + 1);
    return Taken::Yes;
}

// "..." keeps blanks; everything else in it is itself. Nothing if one is not closed.
std::optional<std::vector<std::string>> words_of(std::string_view line) {
    std::vector<std::string> words;
    bool quoted = false;
    bool in_word = false;
    for (const char letter : line) {
        if (!quoted && (letter == ' ' || letter == '\t')) {
            in_word = false;
            continue;
        }
        if (!in_word) {
            words.emplace_back();
            in_word = true;
        }
        if (letter == '"') {
            quoted = !quoted;
        } else {
            words.back() += letter;
        }
    }
    return quoted ? std::nullopt : std::optional(std::move(words));
}

}  // namespace

bool IpsetArgs::only_shows() const {
    return command == IpsetCommand::Test || command == IpsetCommand::List ||
           command == IpsetCommand::Save || command == IpsetCommand::Help ||
           command == IpsetCommand::Version;
}

Result<IpsetArgs, IpsetProblem> parse_ipset_args(const std::vector<std::string>& words) {
    return ArgsReader(words).read();
}

Result<std::optional<IpsetArgs>, IpsetProblem> parse_ipset_line(std::string_view line) {
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    const std::size_t first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos || line[first] == '#' || line == "COMMIT") {
        return std::optional<IpsetArgs>();
    }
    const auto words = words_of(line);
    if (!words) {
        return IpsetProblem{"Missing close quote!"};
    }
    auto args = parse_ipset_args(*words);
    if (!args) {
        return args.error();
    }
    return std::optional(std::move(*args));
}

}  // namespace nsr::router
