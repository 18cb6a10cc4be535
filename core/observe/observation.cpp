#include "core/observe/observation.hpp"

#include <array>

namespace nsr::observe {

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
