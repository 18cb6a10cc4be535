// The options of `ipset create` and of `ipset add`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/result.hpp"
#include "core/sets/element.hpp"
#include "core/sets/spec.hpp"
#include "router/tools/ipset/elements.hpp"
#include "router/tools/ipset/problem.hpp"

namespace nsr::router {

struct NewSet {
    sets::SetSpec spec;
    bool initval_given = false;
    std::vector<std::string> ignored;  // options that meant something once
};
Result<NewSet, IpsetProblem> read_create_options(const std::string& type,
                                                 const std::vector<std::string>& options);

// What stands behind an element.
struct GivenWith {
    sets::Extensions extensions;
    bool wildcard = false;
    bool before = false;
    std::string reference;  // of before and after
};
Result<GivenWith, IpsetProblem> read_element_options(const std::vector<std::string>& options,
                                                     const sets::SetSpec& spec, IpsetVerb verb);

}  // namespace nsr::router
