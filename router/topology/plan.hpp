// Plan: what a configuration asks of the machine, part by part, as operations in the order in which
// they must happen. Pure: nothing is touched. setup.hpp carries it out.
#pragma once

#include <string>
#include <vector>

#include "router/config/config.hpp"
#include "router/topology/operation.hpp"

namespace nsr::router {

// What stands and falls together: an interface, [host], the namespace of the control port.
struct Part {
    std::string name;
    std::vector<Operation> operations;
};
using Plan = std::vector<Part>;

// The interfaces in the file's order (the [host] one behind them), then the control port.
Plan plan_for(const Config& config);

}  // namespace nsr::router
