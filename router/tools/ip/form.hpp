// How ip(8) shows what it shows: its options -j, -br and -s, which stand before the object.
#pragma once

#include <string>
#include <vector>

#include "router/tools/ip/args.hpp"

namespace nsr {
class Router;
}

namespace nsr::router {

struct IpForm {
    bool json = false;        // -j
    bool brief = false;       // -br: addr and link
    bool statistics = false;  // -s: addr and link
};

// Takes them out of the words; colours (-c) and indentation (-p) have no effect.
IpForm take_ip_form(std::vector<std::string>& words);

// One line for each interface.
std::string brief_listing(const Router& router, const IpArgs& args);
// The interfaces with what they count.
std::string statistics_listing(const Router& router, const IpArgs& args);

}  // namespace nsr::router
