#include "router/config/config.hpp"

namespace nsr::router {

const InterfaceConfig* Config::find_interface(std::string_view wanted) const {
    for (const InterfaceConfig& interface : interfaces) {
        if (interface.name == wanted) {
            return &interface;
        }
    }
    return nullptr;
}

std::vector<std::string> Config::interface_names() const {
    std::vector<std::string> names;
    for (const InterfaceConfig& interface : interfaces) {
        names.push_back(interface.name);
    }
    return names;
}

}  // namespace nsr::router
