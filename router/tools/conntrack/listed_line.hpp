// A line of `conntrack -L` or of /proc/net/nf_conntrack, read back.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "router/tools/conntrack/saved_connection.hpp"

namespace nsr::router {

// The error is a sentence that names the word.
Result<SavedConnection, std::string> parse_listed_line(std::string_view line);

}  // namespace nsr::router
