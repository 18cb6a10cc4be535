// Which stages run at which hook, in which order: the whole order of netfilter on one screen.
// kernel: enum nf_ip_hook_priorities
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>

#include "core/packet/hook.hpp"

namespace nsr::pipeline {

enum class StageId : std::uint8_t {
    Defrag,
    Raw,
    Track,
    Mangle,
    Dnat,
    Filter,
    Security,
    Snat,
    Helper,
    Confirm
};

constexpr std::string_view name_of(StageId stage) {
    constexpr std::array<std::string_view, 10> kNames = {"defrag", "raw",    "conntrack", "mangle",
                                                         "nat",    "filter", "security",  "nat",
                                                         "helper", "confirm"};
    return kNames[static_cast<std::size_t>(stage)];
}

struct Stage {
    StageId id;
    int priority;
};

inline constexpr int kLast = std::numeric_limits<int>::max();

inline constexpr std::array kPrerouting = {
    Stage{StageId::Defrag, -400}, Stage{StageId::Raw, -300}, Stage{StageId::Track, -200},
    Stage{StageId::Mangle, -150}, Stage{StageId::Dnat, -100}};
inline constexpr std::array kInput = {Stage{StageId::Mangle, -150}, Stage{StageId::Filter, 0},
                                      Stage{StageId::Security, 50}, Stage{StageId::Snat, 100},
                                      Stage{StageId::Helper, 300},  Stage{StageId::Confirm, kLast}};
inline constexpr std::array kForward = {Stage{StageId::Mangle, -150}, Stage{StageId::Filter, 0},
                                        Stage{StageId::Security, 50}};
inline constexpr std::array kOutput = {Stage{StageId::Defrag, -400}, Stage{StageId::Raw, -300},
                                       Stage{StageId::Track, -200},  Stage{StageId::Mangle, -150},
                                       Stage{StageId::Dnat, -100},   Stage{StageId::Filter, 0},
                                       Stage{StageId::Security, 50}};
inline constexpr std::array kPostrouting = {Stage{StageId::Mangle, -150}, Stage{StageId::Snat, 100},
                                            Stage{StageId::Helper, 300},
                                            Stage{StageId::Confirm, kLast}};

template <std::size_t N>
constexpr bool ordered(const std::array<Stage, N>& stages) {
    for (std::size_t i = 1; i < N; ++i) {
        if (stages[i - 1].priority >= stages[i].priority) {
            return false;
        }
    }
    return true;
}
static_assert(ordered(kPrerouting) && ordered(kInput) && ordered(kForward) && ordered(kOutput) &&
              ordered(kPostrouting));

}  // namespace nsr::pipeline
