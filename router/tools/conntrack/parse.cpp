#include "router/tools/conntrack/parse.hpp"

#include <utility>

#include "router/base/text_file.hpp"
#include "router/tools/conntrack/legal.hpp"
#include "router/tools/conntrack/options.hpp"
#include "router/tools/conntrack/tuple_args.hpp"

namespace nsr::router {
namespace {

using Words = std::vector<std::string>;
using Parsed = Result<ConntrackArgs, std::string>;

struct CommandRow {
    char short_name;
    std::string_view long_names[2];
    ConntrackCommand command;
};

constexpr CommandRow kCommands[] = {
    {'L', {"dump", "list"}, ConntrackCommand::List},
    {'G', {"get", ""}, ConntrackCommand::Get},
    {'D', {"delete", ""}, ConntrackCommand::Delete},
    {'I', {"create", ""}, ConntrackCommand::Create},
    {'A', {"add", ""}, ConntrackCommand::Create},
    {'U', {"update", ""}, ConntrackCommand::Update},
    {'E', {"event", ""}, ConntrackCommand::Events},
    {'F', {"flush", ""}, ConntrackCommand::Flush},
    {'C', {"count", ""}, ConntrackCommand::Count},
    {'S', {"stats", ""}, ConntrackCommand::Statistics},
};

Words separated(const Words& words);
std::optional<ConntrackCommand> command_of(const Words& words);
std::optional<ConntrackCommand> command_in(const std::string& word);

std::string check_output(const ConntrackOutput& output);

class Parser {
  public:
    explicit Parser(const Words& words) : words_(separated(words)) {}
    Parsed run();

  private:
    void command();
    void table(const std::string& word);
    void option(const std::string& word);
    void check();

    const Words words_;
    std::size_t next_ = 0;
    ConntrackArgs args_;
    bool have_command_ = false;
    std::vector<std::string_view> given_;  // first long names of the options
    std::string problem_;                  // empty: none so far
};

}  // namespace

Parsed parse_conntrack_args(const Words& words) {
    return Parser(words).run();
}

Parsed parse_conntrack_args(std::string_view line) {
    const Result<Words, std::string> words = split_line(line);
    if (!words) {
        return words.error();
    }
    return parse_conntrack_args(*words);
}

namespace {

Parsed Parser::run() {
    // What an option means depends on the command, which may stand behind it.
    args_.command = command_of(words_).value_or(ConntrackCommand::List);
    while (next_ < words_.size() && problem_.empty()) {
        const std::string& word = words_[next_++];
        if (command_in(word)) {
            command();
        } else {
            option(word);
        }
    }
    check();
    if (!problem_.empty()) {
        return problem_;
    }
    return args_;
}

// -Lzp tcp is -L -z -p tcp: what takes no value may have others behind it in one word. Other than
// in the tool, what follows -L is never lost.
Words separated(const Words& words) {
    Words out;
    bool is_value = false;
    for (std::string rest : words) {
        const auto row_of = [](const std::string& word) {
            return find_conntrack_option(word.substr(0, word.find('=')));
        };
        while (!is_value && rest.size() > 2 && rest[0] == '-' && rest[1] != '-') {
            const std::string first = rest.substr(0, 2);
            const ConntrackOption* row = row_of(first);
            if (!command_in(first) && (row == nullptr || row->takes != Takes::Nothing)) {
                break;
            }
            out.push_back(first);
            rest.erase(1, 1);
        }
        const ConntrackOption* row = is_value ? nullptr : row_of(rest);
        const bool joined = rest.find('=') != std::string::npos;
        is_value = row != nullptr && row->takes == Takes::Value && !joined;
        out.push_back(std::move(rest));
    }
    return out;
}

std::optional<ConntrackCommand> command_of(const Words& words) {
    for (const std::string& word : words) {
        if (const auto command = command_in(word)) {
            return command;
        }
    }
    return std::nullopt;
}

std::optional<ConntrackCommand> command_in(const std::string& word) {
    for (const CommandRow& row : kCommands) {
        const bool is_short = word.size() == 2 && word[0] == '-' && word[1] == row.short_name;
        const bool is_long =
            word.size() > 2 && word.starts_with("--") &&
            (word.substr(2) == row.long_names[0] || word.substr(2) == row.long_names[1]);
        if (is_short || is_long) {
            return row.command;
        }
    }
    return std::nullopt;
}

void Parser::command() {
    if (std::exchange(have_command_, true)) {
        problem_ = "Invalid commands combination";
    } else if (next_ < words_.size() && !words_[next_].starts_with('-')) {
        table(words_[next_++]);
    }
}

void Parser::table(const std::string& word) {
    constexpr std::pair<std::string_view, ConntrackTable> kTables[] = {
        {"conntrack", ConntrackTable::Connections},
        {"expect", ConntrackTable::Expectations},
        {"dying", ConntrackTable::Dying},
        {"unconfirmed", ConntrackTable::Unconfirmed}};
    for (const auto& [name, table] : kTables) {
        if (word == name) {
            args_.table = table;
            return;
        }
    }
    problem_ = "unknown type `" + shown(word) + "'; known: conntrack, expect, dying, unconfirmed";
}

void Parser::option(const std::string& word) {
    std::string name = word;
    std::optional<std::string> value;
    if (word.starts_with("--")) {
        if (const std::size_t equals = word.find('='); equals != std::string::npos) {
            name = word.substr(0, equals);
            value = word.substr(equals + 1);
        }
    } else if (word.size() > 2 && word[0] == '-') {
        name = word.substr(0, 2);
        value = word.substr(2);
    }
    if (!word.starts_with('-')) {
        problem_ = "`" + shown(word) + "' is no option, and no option takes it as its value";
        return;
    }
    const ConntrackOption* row = find_conntrack_option(name);
    if (row == nullptr) {
        problem_ = "unknown option `" + shown(word) + "'";
        return;
    }
    // As getopt_long(3): a value that is needed is the next word, whatever that looks like.
    const bool more =
        next_ < words_.size() && (row->takes == Takes::Value || !words_[next_].starts_with('-'));
    if (!value && row->takes != Takes::Nothing && more) {
        value = words_[next_++];
    }
    given_.push_back(row->long_names[0]);
    if (row->takes == Takes::Value && !value) {
        problem_ = "option `" + name + "' requires an argument";
    } else if (row->takes == Takes::Nothing && value) {
        problem_ = "option `" + name + "' takes no argument";
    } else {
        problem_ = row->read(args_, value.value_or(""));
    }
}

void Parser::check() {
    if (!problem_.empty()) {
        return;
    }
    if (!have_command_) {
        problem_ = "a command is needed: one of -L -G -D -I -U -E -F -C -S";
        return;
    }
    problem_ = check_conntrack_options(args_, given_);
    if (problem_.empty()) {
        problem_ = complete_tuples(args_.filter);
    }
    if (problem_.empty()) {
        problem_ = check_output(args_.output);
    }
}

std::string check_output(const ConntrackOutput& output) {
    if (output.save && (output.extended || output.xml || output.id || output.ktimestamp ||
                        output.timestamp || output.labels || output.rules)) {
        return "cannot combine save output with any other output type, use -o save only";
    }
    if (output.rules && output.xml) {
        return "xml has no place for rules; use -o rules, or GET /conntrack for JSON";
    }
    return {};
}

}  // namespace

}  // namespace nsr::router
