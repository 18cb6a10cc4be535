// What ip(8) shows, as `ip -j` does: its names, as far as the router has the thing.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>

#include "router/tools/ip/form.hpp"

namespace nsr::router {

// `text`: what the command prints without -j.
std::string ip_json(const Router& router, const IpArgs& args, const IpForm& form,
                    const std::string& text);

// A route with more than a line has room for: its family, type, table and metric always.
boost::json::object route_json(const Router& router, const routing::Route& route, bool connected);

}  // namespace nsr::router
