#include "router/tools/conntrack/legal.hpp"

#include <algorithm>

#include "core/wire/protocol.hpp"

namespace nsr::router {
namespace {

using Given = std::vector<const ConntrackOption*>;
using Rows = std::span<const ConntrackOption>;

// Two options of which both are needed, or both of the other pair, and what is said where neither
// pair is complete.
struct Pairs {
    std::string_view one[2];
    std::string_view other[2];
    const char* missing_one;
    const char* missing_other;
};
constexpr Pairs kAddresses = {{"src", "dst"},
                              {"reply-src", "reply-dst"},
                              "you have to specify `--src' and `--dst'",
                              "you have to specify `--reply-src' and `--reply-dst'"};
constexpr Pairs kPorts = {{"sport", "dport"},
                          {"reply-port-src", "reply-port-dst"},
                          "you have to specify `--sport' and `--dport'",
                          "you have to specify `--reply-src-port' and `--reply-dst-port'"};
constexpr Pairs kKeys = {{"srckey", "dstkey"},
                         {"reply-key-src", "reply-key-dst"},
                         "you have to specify `--srckey' and `--dstkey'",
                         "you have to specify `--reply-src-key' and `--reply-dst-key'"};

bool has(const Given& given, std::string_view name) {
    return std::any_of(given.begin(), given.end(),
                       [&](const ConntrackOption* option) { return option->names[0] == name; });
}

Problem check_pairs(const Pairs& pairs, const Given& given) {
    const auto both = [&](const std::string_view(&pair)[2]) {
        return has(given, pair[0]) && has(given, pair[1]);
    };
    const auto either = [&](const std::string_view(&pair)[2]) {
        return has(given, pair[0]) || has(given, pair[1]);
    };
    if (both(pairs.one) || both(pairs.other)) {
        return {};
    }
    return Problem(either(pairs.other) && !either(pairs.one) ? pairs.missing_other
                                                             : pairs.missing_one);
}

Problem check_rows(Rows rows, Column column, const Pairs& pairs, const Given& given) {
    bool pairs_count = false;
    for (const ConntrackOption& option : rows) {
        const char rule = option.columns[static_cast<std::size_t>(column)];
        const bool is_given = has(given, option.names[0]);
        if (!is_given && rule == '!') {
            return Problem(std::string("You need to supply the `--") + option.names[0] +
                           "' option for this command");
        }
        if (is_given && rule == '-') {
            return Problem(std::string("Illegal option `--") + option.names[0] +
                           "' with this command");
        }
        pairs_count = pairs_count || rule == '=';
    }
    return pairs_count ? check_pairs(pairs, given) : Problem();
}

}  // namespace

Column column_of(const ConntrackArgs& args) {
    using Command = ConntrackCommand;
    const bool expect = args.table == ConntrackTable::Expectations;
    switch (args.command) {
        case Command::List:
            return expect ? Column::ListExpect : Column::List;
        case Command::Create:
            return expect ? Column::CreateExpect : Column::Create;
        case Command::Add:
            return Column::Add;
        case Command::Update:
            return Column::Update;
        case Command::Delete:
            return expect ? Column::DeleteExpect : Column::Delete;
        case Command::Get:
            return expect ? Column::GetExpect : Column::Get;
        case Command::Events:
            return expect ? Column::EventsExpect : Column::Events;
        case Command::Flush:
            return expect ? Column::Other : Column::Flush;
        case Command::Help:
            return Column::Help;
        case Command::None:
            break;
        case Command::Count:
        case Command::Statistics:
        case Command::Version:
            break;
    }
    return Column::Other;
}

Problem check_conntrack_options(const ConntrackArgs& args, Rows protocol_rows, const Given& given) {
    if (has(given, "any-nat") && (has(given, "src-nat") || has(given, "dst-nat"))) {
        return Problem("cannot specify `--src-nat' or `--dst-nat' with `--any-nat'");
    }
    const Column column = column_of(args);
    Problem problem = check_rows(common_options(), column, kAddresses, given);
    if (problem.ok() && column != Column::Help) {
        const bool keys = args.filter.protocol == proto::kGre;
        problem = check_rows(protocol_rows, column, keys ? kKeys : kPorts, given);
    }
    return problem;
}

}  // namespace nsr::router
