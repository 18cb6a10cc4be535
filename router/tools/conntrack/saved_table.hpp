// A connection table that was written down, for a router that begins with it: what conntrack(8) -L
// prints (plain, -o extended, -o save), or /proc/net/nf_conntrack.
//
// Theory of operation
//   A line of a listing and a line of -o save say the same: two tuples, the time left, a state, a
//   status, a mark, zones. Where the reply is not what answers the original, the difference is the
//   translation, and a router that loads the line binds it to just that. What no text carries is
//   not there afterwards: windows of TCP (such connections are believed, as after conntrack -I),
//   who expected them. What a text carries and a router cannot be given is told: helpers.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/config_error.hpp"
#include "core/base/result.hpp"
#include "core/pipeline/router.hpp"
#include "router/tools/conntrack/saved_connection.hpp"

namespace nsr::router {

inline constexpr std::size_t kMostTableBytes = std::size_t{1} << 30;

struct SavedTable {
    std::string path;  // as messages show it
    std::vector<SavedConnection> connections;
};

// One line; the error is a sentence.
Result<SavedConnection, std::string> parse_saved_connection(std::string_view line);
// All of it, or what is wrong, each with its line. Empty lines, comments (#) and the line in which
// the tool counts what it has shown are passed over. Lines of -o save are -A or -I.
Result<SavedTable, ConfigErrors> parse_saved_table(std::string_view text, const std::string& path);
// The same of a file.
Result<SavedTable, ConfigErrors> read_saved_table(const std::string& path);

// What of the table is not taken over, as warnings.
ConfigErrors left_out_of(const SavedTable& table);

// Makes them on a router that tracks. What is there already stays as it is. The error is the first
// line that cannot be (the table is full), or that nothing is tracked.
Result<std::size_t, ConfigErrors> add_connections(Router& router, const SavedTable& table,
                                                  Instant now);

}  // namespace nsr::router
