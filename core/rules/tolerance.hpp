// Tolerance: which extensions that are not supported may stand in rules all the same. A ruleset
// carries its own, so that whatever changes it later goes by it, too.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>

namespace nsr::rules {

struct Tolerance {
    bool all = false;  // every match, and every target that is known as an extension somewhere
    std::set<std::string, std::less<>> names;
};

}  // namespace nsr::rules
