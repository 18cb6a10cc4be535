// What conntrack(8) prints of the expectations: lines or XML, of one family at a time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "router/tools/conntrack/args.hpp"

namespace nsr::router {

// An expectation, its master's original tuple, and who expects it. A view.
struct ShownExpectation {
    const conntrack::Expectation& expectation;
    conntrack::Tuple master;
    conntrack::HelperId helper;
    Instant now;
};
ShownExpectation shown_of(const conntrack::Conntrack& conntrack,
                          const conntrack::Expectation& expectation, Instant now);

// Without line break. `event`: see Attributes.
void append_expectation(std::string& out, const ShownExpectation& shown);
void append_expectation_xml(std::string& out, const ShownExpectation& shown,
                            std::string_view event = {}, bool with_time = false);
// What stands between the braces of a JSON object.
void append_expectation_json_members(std::string& out, const ShownExpectation& shown);

// -L expect: IPv4 unless -f says otherwise, as the tool does.
// -> how many
std::size_t append_expectations(std::string& out, const ConntrackArgs& args,
                                const conntrack::Conntrack& conntrack, Instant now);
// -C expect, of both families.
std::size_t count_expectations(const conntrack::Conntrack& conntrack, Instant now);

}  // namespace nsr::router
