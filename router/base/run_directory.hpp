// Where running instances leave their files.
#pragma once

#include <string>

namespace nsr::router {

inline constexpr const char* kRunDirectory = "/run/nsrouter";

// NAME's file with this suffix (".pid", ".sock", ".state").
std::string run_file(const std::string& name, const char* suffix);
std::string socket_path(const std::string& name);

}  // namespace nsr::router
