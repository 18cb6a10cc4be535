#include "router/tools/conntrack/parse.hpp"

#include <getopt.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "core/wire/protocol.hpp"
#include "router/base/text_file.hpp"
#include "router/tools/conntrack/legal.hpp"
#include "router/tools/conntrack/tuple_args.hpp"

namespace nsr::router {
namespace {

using Words = std::vector<std::string>;
using Parsed = Result<ConntrackArgs, std::string>;
using Command = ConntrackCommand;

enum class Table : std::uint8_t { Optional, None };

struct CommandRow {
    int code;
    const char* names[3];
    Command command;
    Table table;
};
constexpr CommandRow kCommands[] = {
    {'L', {"dump", "list"}, Command::List, Table::Optional},
    {'I', {"create"}, Command::Create, Table::Optional},
    {'A', {"add"}, Command::Add, Table::Optional},
    {'D', {"delete"}, Command::Delete, Table::Optional},
    {'U', {"update"}, Command::Update, Table::Optional},
    {'G', {"get"}, Command::Get, Table::Optional},
    {'F', {"flush"}, Command::Flush, Table::Optional},
    {'E', {"event"}, Command::Events, Table::Optional},
    {'C', {"counter", "count"}, Command::Count, Table::Optional},
    {'S', {"stats"}, Command::Statistics, Table::None},
    {'V', {"version"}, Command::Version, Table::None},
    {'h', {"help"}, Command::Help, Table::None},
};

// Options of the table in the form of getopt_long(3).
using LongOptions = std::vector<option>;
void append(LongOptions& options, const char* const (&names)[3], int argument, int code);
LongOptions common_long_options();
std::string short_options();

class Parser {
  public:
    enum class Mode : std::uint8_t { Tool, Query };
    Parser(const Words& words, Mode mode);
    ConntrackLine run();

  private:
    Problem read();
    Problem command(const CommandRow& row);
    Problem table(std::string_view word);
    Problem take(const ConntrackOption& row);
    void bring_protocol();
    [[nodiscard]] const ConntrackOption* row_of(int code) const;
    [[nodiscard]] std::string optional_value();
    Problem conclude();
    Problem conclude_status();

    Words words_;
    std::vector<char*> argv_;
    LongOptions options_ = common_long_options();
    std::span<const ConntrackOption> protocol_rows_;
    std::vector<const ConntrackOption*> given_;
    ConntrackDraft draft_;
};

}  // namespace

ConntrackLine read_conntrack_line(const Words& words) {
    return Parser(words, Parser::Mode::Tool).run();
}

namespace {

Parsed parsed(ConntrackLine line) {
    if (line.problem.empty()) {
        return line.args;
    }
    return std::move(line.problem);
}

}  // namespace

Parsed parse_conntrack_args(const Words& words) {
    return parsed(read_conntrack_line(words));
}

Parsed parse_conntrack_args(std::string_view line) {
    const Result<Words, std::string> words = split_line(line);
    if (!words) {
        return words.error();
    }
    return parse_conntrack_args(*words);
}

Parsed parse_conntrack_query(Words words) {
    const auto names_protocol = [](const std::string& word) {
        return word.starts_with("--proto=") || word.starts_with("--protonum=");
    };
    const auto behind = std::stable_partition(words.begin() + 1, words.end(), names_protocol);
    const bool named = behind != words.begin() + 1;
    const bool icmpv6 =
        named && protocol_by_name(words[1].substr(words[1].find('=') + 1)) == proto::kIcmpv6;
    constexpr std::string_view kIcmp = "--icmp-";
    for (std::string& word : words) {
        if (icmpv6 && word.starts_with(kIcmp)) {
            word = "--icmpv6-" + word.substr(kIcmp.size());
        }
    }
    Parsed args = parsed(Parser(words, named ? Parser::Mode::Tool : Parser::Mode::Query).run());
    if (args) {
        args->filter.id_is_place = true;
    }
    return args;
}

namespace {

void append(LongOptions& options, const char* const (&names)[3], int argument, int code) {
    for (const char* name : names) {
        if (name != nullptr) {
            options.push_back({name, argument, nullptr, code});
        }
    }
}

int argument_of(Takes takes) {
    switch (takes) {
        case Takes::Nothing:
            return no_argument;
        case Takes::Value:
            return required_argument;
        case Takes::Maybe:
            break;
    }
    return optional_argument;
}

LongOptions common_long_options() {
    LongOptions options;
    for (const CommandRow& row : kCommands) {
        append(options, row.names, row.table == Table::Optional ? optional_argument : no_argument,
               row.code);
    }
    for (const ConntrackOption& row : common_options()) {
        append(options, row.names, argument_of(row.takes), row.code);
    }
    return options;
}

// Letters of commands may have options behind them in one word: -Lp tcp.
std::string short_options() {
    std::string letters = ":";
    for (const CommandRow& row : kCommands) {
        letters += static_cast<char>(row.code);
    }
    for (const ConntrackOption& row : common_options()) {
        letters += static_cast<char>(row.code);
        letters += row.takes == Takes::Nothing ? "" : row.takes == Takes::Value ? ":" : "::";
    }
    return letters;
}

Parser::Parser(const Words& words, Mode mode) : words_(words) {
    words_.insert(words_.begin(), "conntrack");
    for (std::string& word : words_) {
        argv_.push_back(word.data());
    }
    argv_.push_back(nullptr);
    draft_.args.command = Command::None;
    if (mode == Mode::Query) {
        bring_protocol();
    }
}

ConntrackLine Parser::run() {
    Problem problem = read();
    if (draft_.source_mask) {
        given_.push_back(row_of('{'));
    }
    if (draft_.destination_mask) {
        given_.push_back(row_of('}'));
    }
    if (problem.ok()) {
        problem = check_conntrack_options(draft_.args, protocol_rows_, given_);
    }
    if (problem.ok()) {
        problem = conclude();
    }
    return {draft_.args, draft_.warnings, problem.text, problem.usage};
}

// getopt_long(3) keeps where it is in variables of the process.
Problem Parser::read() {
    static std::mutex mutex;
    static const std::string letters = short_options();
    const std::lock_guard lock(mutex);
    opterr = 0;
    optind = 0;
    const int count = static_cast<int>(argv_.size()) - 1;
    while (true) {
        LongOptions options = options_;
        options.push_back({nullptr, 0, nullptr, 0});
        const int code =
            ::getopt_long(count, argv_.data(), letters.c_str(), options.data(), nullptr);
        if (code == -1) {
            return {};
        }
        const std::string_view word = argv_[static_cast<std::size_t>(optind) - 1];
        if (code == ':') {
            return Problem("option `" + shown(word) + "' requires an argument");
        }
        const auto* row = std::find_if(std::begin(kCommands), std::end(kCommands),
                                       [&](const CommandRow& each) { return each.code == code; });
        const ConntrackOption* option = row_of(code);
        if (row == std::end(kCommands) && option == nullptr) {
            return Problem("unknown option `" + shown(word) + "'");
        }
        if (Problem problem = option == nullptr ? command(*row) : take(*option); !problem.ok()) {
            return problem;
        }
    }
}

const ConntrackOption* Parser::row_of(int code) const {
    for (const auto rows : {common_options(), protocol_rows_}) {
        for (const ConntrackOption& row : rows) {
            if (row.code == code) {
                return &row;
            }
        }
    }
    return nullptr;
}

// What is attached, or the next word unless it looks like an option.
std::string Parser::optional_value() {
    if (optarg != nullptr) {
        return optarg;
    }
    const char* next = argv_[static_cast<std::size_t>(optind)];
    if (next == nullptr || *next == '-' || *next == '!') {
        return {};
    }
    ++optind;
    return next;
}

Problem Parser::command(const CommandRow& row) {
    const bool first = draft_.args.command == Command::None;
    const std::string word = optional_value();
    if (Problem problem = table(word); !problem.ok()) {
        return problem;
    }
    const ConntrackTable table = draft_.args.table;
    const bool passing = table == ConntrackTable::Dying || table == ConntrackTable::Unconfirmed;
    if (passing && row.command != Command::List) {
        return Problem("Can't do that command with tables `dying' and `unconfirmed'");
    }
    if (table == ConntrackTable::Expectations &&
        (row.command == Command::Update || row.command == Command::Add)) {
        return Problem(std::string("Can't do --") + row.names[0] + " on expectations");
    }
    if (!first) {
        return Problem("Invalid commands combination");
    }
    draft_.args.command = row.command;
    return {};
}

// Names of tables may be cut short.
Problem Parser::table(std::string_view word) {
    constexpr std::pair<std::string_view, ConntrackTable> kTables[] = {
        {"expect", ConntrackTable::Expectations},
        {"conntrack", ConntrackTable::Connections},
        {"dying", ConntrackTable::Dying},
        {"unconfirmed", ConntrackTable::Unconfirmed}};
    if (word.empty()) {
        return {};
    }
    for (const auto& [name, table] : kTables) {
        if (name.starts_with(word)) {
            draft_.args.table = table;
            return {};
        }
    }
    return Problem("unknown type `" + shown(word) + "'");
}

Problem Parser::take(const ConntrackOption& row) {
    given_.push_back(&row);
    const std::string value = row.takes == Takes::Maybe   ? optional_value()
                              : row.takes == Takes::Value ? std::string(optarg)
                                                          : std::string();
    Problem problem = row.read(draft_, value);
    if (row.code == 'p' && problem.ok()) {
        bring_protocol();
    }
    return problem;
}

void Parser::bring_protocol() {
    protocol_rows_ = protocol_options(draft_.args.filter.protocol);
    options_ = common_long_options();
    for (const ConntrackOption& row : protocol_rows_) {
        append(options_, row.names, argument_of(row.takes), row.code);
    }
}

// What options mean together, and for this command.
Problem Parser::conclude() {
    ConntrackArgs& args = draft_.args;
    const Command command = args.command;
    const bool compared = std::any_of(given_.begin(), given_.end(),
                                      [](const ConntrackOption* row) { return row->compares; });
    if (command == Command::List && args.output.zero && compared) {
        return Problem("Can't use -z with filtering parameters");
    }
    if (args.output.rules && args.output.xml) {
        return Problem("xml has no place for rules; use -o rules, or GET /conntrack for JSON");
    }
    if (command == Command::Update || command == Command::Create || command == Command::Add) {
        args.change.status = args.filter.status;
        args.filter.status = 0;
        args.filter.offloaded = false;
        args.filter.state.reset();
        if (const auto& mark = args.filter.mark) {
            args.change.mark = {mark->value, command == Command::Update ? mark->mask : 0xffffffff};
        }
        args.filter.mark.reset();
    }
    if (command == Command::Delete && compared) {
        args.filter.timeout_seconds = args.change.timeout_seconds;
    }
    Problem problem = complete_tuples(draft_);
    return problem.ok() ? conclude_status() : problem;
}

// The kernel is asked for a status of connections that are listed; what is asked of others is that
// they have the bits. kernel: ctnetlink_alloc_filter
Problem Parser::conclude_status() {
    ConntrackFilter& filter = draft_.args.filter;
    if (!draft_.status_given || draft_.args.command != Command::List) {
        return {};
    }
    filter.status_mask = draft_.status_mask;
    if (filter.status_mask == 0 && !filter.offloaded) {
        return {"Operation failed: invalid parameters", false};
    }
    return {};
}

}  // namespace

}  // namespace nsr::router
