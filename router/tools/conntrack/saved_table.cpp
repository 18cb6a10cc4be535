#include "router/tools/conntrack/saved_table.hpp"

#include <optional>

#include "core/base/words.hpp"
#include "core/conntrack/record/connection.hpp"
#include "core/conntrack/tuple_text.hpp"
#include "router/base/text_file.hpp"
#include "router/tools/conntrack/answer.hpp"
#include "router/tools/conntrack/listed_line.hpp"
#include "router/tools/conntrack/make.hpp"
#include "router/tools/conntrack/parse.hpp"
#include "router/tools/conntrack/tuple_args.hpp"
#include "router/tools/conntrack/values.hpp"

namespace nsr::router {
namespace {

using conntrack::NewConnection;
using conntrack::Ports;
using conntrack::Tuple;
using Translations = pipeline::MadeConnections::Translations;

Result<SavedConnection, std::string> parse_command(std::string_view line);
Tuple reply_of(const ConntrackFilter& filter, Tuple reply);
nat::Range range_to(const IpAddress& address, std::uint16_t port, std::uint8_t protocol);
Translations translations_of(const NewConnection& connection);
bool says_nothing(std::string_view line);

}  // namespace

Result<SavedTable, ConfigErrors> read_saved_table(const std::string& path) {
    const auto text = read_text_file(path, kMostTableBytes);
    if (!text) {
        return ConfigErrors{{{path, 0, 0}, text.error().text}};
    }
    return parse_saved_table(*text, path);
}

Result<SavedTable, ConfigErrors> parse_saved_table(std::string_view text, const std::string& path) {
    SavedTable table{path, {}};
    ConfigErrors errors;
    std::uint32_t number = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        ++number;
        if (says_nothing(line)) {
            continue;
        }
        auto connection = parse_saved_connection(line);
        if (!connection) {
            errors.push_back({{path, number, 0}, connection.error()});
            continue;
        }
        connection->line = number;
        table.connections.push_back(std::move(*connection));
    }
    if (!errors.empty()) {
        return errors;
    }
    return table;
}

Result<SavedConnection, std::string> parse_saved_connection(std::string_view line) {
    const bool command = line.find_first_not_of(" \t") == line.find('-');
    auto saved = command ? parse_command(line) : parse_listed_line(line);
    if (!saved) {
        return saved;
    }
    const auto& [original, reply] = std::pair(saved->connection.original, saved->connection.reply);
    if (original.family() != reply.family()) {
        return std::string("the two directions are of different address families");
    }
    if (!invert(original) || !invert(reply)) {
        return std::string("an ICMP type that nobody answers has no connection");
    }
    saved->connection.with.status &= ~conntrack::status::kExpected;
    return saved;
}

ConfigErrors left_out_of(const SavedTable& table) {
    ConfigErrors told;
    for (const SavedConnection& saved : table.connections) {
        if (!saved.without.empty()) {
            told.push_back({{table.path, saved.line, 0}, saved.without + " is not taken over"});
        }
    }
    return told;
}

Result<std::size_t, ConfigErrors> add_connections(Router& router, const SavedTable& table,
                                                  Instant now) {
    if (table.connections.empty()) {
        return std::size_t{0};
    }
    if (!router.tracking_active()) {
        return ConfigErrors{{{table.path, 0, 0},
                             "connections are not tracked, for no rule needs it: [conntrack] mode "
                             "= \"on\" tracks them"}};
    }
    std::size_t added = 0;
    for (const SavedConnection& saved : table.connections) {
        NewConnection wanted = saved.connection;
        wanted.reply = *invert(wanted.original);
        const auto made =
            router.made_connections().insert(wanted, translations_of(saved.connection), now);
        if (!made && made.error() != conntrack::Refusal::Exists) {
            return ConfigErrors{{{table.path, saved.line, 0},
                                 std::string("the router does not take this connection: ") +
                                     refusal_text(made.error(), ConntrackCommand::Create)}};
        }
        added += made ? 1 : 0;
    }
    return added;
}

namespace {

Result<SavedConnection, std::string> parse_command(std::string_view line) {
    const auto args = parse_conntrack_args(line);
    if (!args) {
        return args.error();
    }
    const bool makes =
        args->command == ConntrackCommand::Create || args->command == ConntrackCommand::Add;
    if (!makes || args->table != ConntrackTable::Connections) {
        return std::string("a saved connection is -A or -I, not another command");
    }
    const auto tuples = tuples_of(args->filter);
    SavedConnection saved;
    if (!tuples || !set_zone(saved.connection, args->filter)) {
        return std::string("there is no such connection");
    }
    saved.connection.original = tuples->original;
    saved.connection.reply = reply_of(args->filter, tuples->reply);
    saved.connection.with = args->change;
    return saved;
}

// -o save has the address of a translated end behind -g or -n, and its port with the reply.
Tuple reply_of(const ConntrackFilter& filter, Tuple reply) {
    const TupleFilter& said = filter.tuples[1];
    reply.source = filter.destination_nat.address.value_or(said.source.value_or(reply.source));
    reply.destination =
        filter.source_nat.address.value_or(said.destination.value_or(reply.destination));
    if (conntrack::ports_of(reply.protocol) == Ports::Ports) {
        const auto source =
            filter.destination_nat.port ? filter.destination_nat.port : said.source_port;
        const auto destination =
            filter.source_nat.port ? filter.source_nat.port : said.destination_port;
        reply.source_port = source.value_or(reply.source_port);
        reply.destination_port = destination.value_or(reply.destination_port);
    }
    return reply;
}

// Both ends are decided, translated or not, as they were where the table comes from.
Translations translations_of(const NewConnection& connection) {
    const Tuple& reply = connection.reply;
    return {range_to(reply.destination, reply.destination_port, reply.protocol),
            range_to(reply.source, reply.source_port, reply.protocol)};
}

nat::Range range_to(const IpAddress& address, std::uint16_t port, std::uint8_t protocol) {
    nat::Range range;
    set_address(range, address);
    if (conntrack::ports_of(protocol) == Ports::Ports) {
        set_port(range, port);
    }
    return range;
}

bool says_nothing(std::string_view line) {
    const std::size_t begin = line.find_first_not_of(" \t\r");
    return begin == std::string_view::npos || line[begin] == '#' ||
           line.substr(begin).starts_with("conntrack v");
}

}  // namespace
}  // namespace nsr::router
