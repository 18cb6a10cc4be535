// The JSON of /status as a table for people.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>

namespace nsr::router {

// Throws std::exception if it is not what a router of this version says.
std::string status_text(const boost::json::value& status);

}  // namespace nsr::router
