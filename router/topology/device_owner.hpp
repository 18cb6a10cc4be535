// Who has a TUN device open, when we cannot.
#pragma once

#include <string>

namespace nsr::router {

// The name of the running router whose device this is, by what the routers of this machine say of
// themselves; empty: none of them.
std::string router_with_device(const std::string& netns, const std::string& device);

}  // namespace nsr::router
