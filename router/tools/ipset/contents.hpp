// New contents for one set, as a text: its elements, one a line, or what `ipset restore` reads.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/sets/sets.hpp"

namespace nsr::router {

struct SetContents {
    std::string name;
    std::string text;     // for `restore`, beginning with `create`
    bool created = true;  // by the text itself; else its first line was put before it
};

// `created` is the `create` of the set that there is; empty: there is none. An error, in words, for
// a text that speaks of other sets, or lacks a `create` that it needs.
Result<SetContents, std::string> set_contents(std::string_view text, std::string_view name,
                                              std::string_view created);
// Makes the set in `aside`; members of a list:set are looked up among those that are `there`. An
// error says in which line.
Result<Done, std::string> make_set(const SetContents& contents, const sets::Catalogue& there,
                                   sets::Sets& aside, Instant now);

}  // namespace nsr::router
