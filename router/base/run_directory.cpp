#include "router/base/run_directory.hpp"

namespace nsr::router {

std::string run_file(const std::string& name, const char* suffix) {
    return std::string(kRunDirectory) + "/" + name + suffix;
}

std::string socket_path(const std::string& name) {
    return run_file(name, ".sock");
}

}  // namespace nsr::router
