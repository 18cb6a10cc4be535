// What a rule becomes: a run of instructions and what is done then.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/base/ids.hpp"
#include "core/rules/code.hpp"
#include "core/rules/target.hpp"

namespace nsr::rules {

// Every interface that there is, by name.
using InterfaceNames = std::vector<std::pair<std::string, IfIndex>>;

struct CompiledRule {
    std::uint32_t first = 0;  // instructions [first, end)
    std::uint32_t end = 0;
    CompiledTarget then;
};

}  // namespace nsr::rules
