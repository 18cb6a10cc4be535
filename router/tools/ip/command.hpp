// What ip(8) does to a running router, and what it shows of it.
#pragma once

#include <functional>
#include <string>

#include "core/base/instant.hpp"
#include "router/tools/ip/args.hpp"

namespace nsr {
class Router;
}

namespace nsr::router {

struct IpAnswer {
    std::string text;   // what a `show` prints
    std::string error;  // what was wrong, in the words of ip(8); empty: done
};

// Changes the router itself. The device behind a link follows by `change_link`, which is called
// before a LinkSet that is possible; it may be empty.
using ChangeLink = std::function<void(const IpArgs&)>;
IpAnswer run_ip(const IpArgs& args, Router& router, Instant now, const ChangeLink& change_link);

// Routes: route_command.cpp, route_listing.cpp. `interface` is the one that is named; None: none.
std::string change_route(const IpArgs& args, Router& router, IfIndex interface);
void flush_routes(const IpArgs& args, Router& router, IfIndex interface);
IpAnswer get_route(const IpArgs& args, const Router& router);
[[nodiscard]] bool is_selected(const routing::Route& route, const IpArgs& args, IfIndex interface);

// Rules: rule_command.cpp
std::string change_rule(const IpArgs& args, Router& router);
std::string rule_listing(const Router& router, const IpArgs& args);

// What run_ip shows: listing.cpp
std::string address_listing(const Router& router, const IpArgs& args);
std::string route_listing(const Router& router, const IpArgs& args, IfIndex interface);
std::string link_listing(const Router& router, const IpArgs& args);

}  // namespace nsr::router
