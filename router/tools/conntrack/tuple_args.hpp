// What the options that describe a tuple mean together.
#pragma once

#include <optional>
#include <string>

#include "core/base/result.hpp"
#include "core/conntrack/record/tuple.hpp"
#include "router/tools/conntrack/args.hpp"

namespace nsr::router {

// Takes the masks into the prefixes they belong to. The error says what does not fit together;
// empty: nothing.
std::string complete_tuples(ConntrackFilter& filter);

// The one tuple that -G asks for, as the original or as the reply of a connection; an error names
// the options that are missing.
Result<conntrack::Tuple, std::string> whole_tuple(const ConntrackFilter& filter);

}  // namespace nsr::router
