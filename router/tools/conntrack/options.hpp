// The options of conntrack(8), one row each: how it is written, which commands take it, and what
// its value means.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "router/tools/conntrack/args.hpp"
#include "router/tools/conntrack/values.hpp"

namespace nsr::router {

// What is wrong, in the words of the tool where it has some.
struct Problem {
    Problem() = default;
    Problem(std::string what, bool of_usage = true) : text(std::move(what)), usage(of_usage) {}
    [[nodiscard]] bool ok() const { return text.empty(); }

    std::string text;
    bool usage = true;  // exit code 2 and a hint, else 1
};

enum class Takes : std::uint8_t { Nothing, Value, Maybe };

// A command line that is being read.
struct ConntrackDraft {
    ConntrackArgs args;
    std::vector<std::string> warnings;  // one line each
    bool status_given = false;
    std::uint32_t status_mask = 0;  // of which bits a -u said what they are
    bool source_mask = false;       // an address came with a length
    bool destination_mask = false;
    bool reply_protocol = false;  // an option said something of the reply's transport header
};

// What a command thinks of an option, in the order of these columns: "." takes it, "!" needs it,
// "=" needs one of two pairs, "-" refuses it.
enum class Column : std::uint8_t {
    List,
    Create,
    Add,
    Update,
    Delete,
    Get,
    Events,
    Flush,
    ListExpect,
    CreateExpect,
    DeleteExpect,
    GetExpect,
    EventsExpect,
    Other,
    Help
};

struct ConntrackOption {
    // What is wrong with the value. What -m or -u means depends on the command, which may stand
    // behind it: conclude() of parse.cpp.
    using Reader = Problem (*)(ConntrackDraft& draft, const std::string& value);

    int code;              // of getopt_long(3): the short name, or a number of its own
    const char* names[3];  // the first is what it goes by; null: no more
    Takes takes;
    std::string_view columns;
    bool compares;  // entries are compared with it: -z cannot be beside it
    Reader read;
};

// In the order in which the tool looks at them.
std::span<const ConntrackOption> common_options();
// Those that -p brings: ports, states, ICMP types. `protocol` nothing: of any protocol.
std::span<const ConntrackOption> protocol_options(std::optional<std::uint8_t> protocol);

// A number, or a sentence that says what it should have been.
template <class T>
Problem read_number(const std::string& value, std::optional<T>& into, const char* what) {
    T read{};
    if (!parse_whole(value, read)) {
        return Problem(std::string(what) + " must be a number, not \"" + shown(value) + "\"");
    }
    into = read;
    return {};
}

}  // namespace nsr::router
