#include "core/observe/observation.hpp"

#include <array>

namespace nsr::observe {

std::string endpoint_text(const IpAddress& address, std::uint16_t port, bool has_port) {
    if (!has_port) {
        return to_string(address);
    }
    const std::string text = address.is_v6() ? "[" + to_string(address) + "]" : to_string(address);
    return text + ":" + std::to_string(port);
}

std::string_view name_of(CtInfo info) {
    constexpr std::array<std::string_view, 7> kNames = {
        "INVALID", "NEW", "ESTABLISHED", "ESTABLISHED", "RELATED", "RELATED", "UNTRACKED"};
    return kNames[static_cast<std::size_t>(info)];
}

std::string_view name_of(Fate fate) {
    constexpr std::array<std::string_view, 5> kNames = {"nothing", "left", "delivered", "kept",
                                                        "dropped"};
    return kNames[static_cast<std::size_t>(fate)];
}

}  // namespace nsr::observe
