#include "router/tools/iptables/names.hpp"

#include <array>

namespace nsr::router {
namespace {

constexpr std::array<std::array<std::string_view, 2>, 4> kHosts = {{
    {"127.0.0.1", "localhost"},
    {"0.0.0.0", "default"},
    {"127.0.0.0", "loopback"},
    {"169.254.0.0", "link-local"},
}};

}  // namespace

std::string_view host_name(std::string_view address) {
    for (const auto& [known, name] : kHosts) {
        if (known == address) {
            return name;
        }
    }
    return {};
}

}  // namespace nsr::router
