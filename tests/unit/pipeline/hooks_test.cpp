#include "core/pipeline/hooks.hpp"

#include <doctest/doctest.h>

#include <string>

#include "core/packet/hook.hpp"

using namespace nsr;

namespace {

template <std::size_t N>
std::string printed(Hook hook, const std::array<pipeline::Stage, N>& stages) {
    std::string text = std::string(name_of(hook)) + ":";
    for (const pipeline::Stage& stage : stages) {
        text.append(" ").append(name_of(stage.id)).append(" ");
        text += stage.priority == pipeline::kLast ? "last" : std::to_string(stage.priority);
    }
    return text + "\n";
}

}  // namespace

// As `nft list hooks` prints them.
TEST_CASE("the hooks, their stages and the kernel's priorities") {
    const std::string text =
        printed(Hook::Prerouting, pipeline::kPrerouting) + printed(Hook::Input, pipeline::kInput) +
        printed(Hook::Forward, pipeline::kForward) + printed(Hook::Output, pipeline::kOutput) +
        printed(Hook::Postrouting, pipeline::kPostrouting);
    CHECK(text ==
          "PREROUTING: defrag -400 raw -300 conntrack -200 mangle -150 nat -100\n"
          "INPUT: mangle -150 filter 0 security 50 nat 100 helper 300 confirm last\n"
          "FORWARD: mangle -150 filter 0 security 50\n"
          "OUTPUT: defrag -400 raw -300 conntrack -200 mangle -150 nat -100 filter 0 security 50\n"
          "POSTROUTING: mangle -150 nat 100 helper 300 confirm last\n");
}
