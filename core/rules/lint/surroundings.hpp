// What rules will stand in, as far as it makes them right or wrong.
#pragma once

#include <string>
#include <vector>

namespace nsr::rules::lint {

struct Surroundings {
    std::vector<std::string> interfaces = {};  // all there are, "lo" included; none: not known
    std::vector<std::string> helpers = {};     // of connection tracking that are loaded
    bool host = false;                         // processes on the router itself: [host]
};

}  // namespace nsr::rules::lint
