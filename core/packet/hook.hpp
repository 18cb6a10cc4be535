// The five places where a packet can be looked at. kernel: enum nf_inet_hooks, same numbers
#pragma once

#include <cstdint>
#include <string_view>

namespace nsr {

enum class Hook : std::uint8_t {
    Prerouting = 0,
    Input = 1,
    Forward = 2,
    Output = 3,
    Postrouting = 4
};
inline constexpr unsigned kHookCount = 5;

constexpr std::string_view name_of(Hook hook) {
    constexpr std::string_view kNames[kHookCount] = {"PREROUTING", "INPUT", "FORWARD", "OUTPUT",
                                                     "POSTROUTING"};
    return kNames[static_cast<unsigned>(hook)];
}

}  // namespace nsr
