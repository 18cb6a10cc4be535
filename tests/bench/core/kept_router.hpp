// Routers with N established flows, that stay; see kept.hpp.
#pragma once

#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "core/nat/nat.hpp"
#include "tests/bench/core/kept.hpp"
#include "tests/bench/core/pages.hpp"
#include "tests/support/busy_router.hpp"

namespace nsr::bench {

// What the flows are and what they meet.
struct RouterFill {
    Transport transport = Transport::Udp;
    bool rules = true;  // busy_rules(), else none: tracking alone
    Pages pages = Pages::Huge;
    bool newcomers = false;  // others come and go beside them, for which the table has grown
};

inline BusyRouter& busy_router(std::uint32_t flows, const RouterFill& fill) {
    const unsigned variant = (fill.transport == Transport::Tcp ? 1 : 0) + (fill.rules ? 0 : 2) +
                             (fill.pages == Pages::Small ? 4 : 0) + (fill.newcomers ? 8 : 0);
    return kept<BusyRouter>(flows, variant, [&] {
        return std::make_unique<BusyRouter>(
            BusyLoad{.flows = flows,
                     .kind = {.transport = fill.transport, .masqueraded = fill.rules},
                     .rules = fill.rules ? busy_rules() : std::string("*filter\nCOMMIT\n"),
                     .memory = memory_of(fill.pages)});
    });
}

inline void count_memory(benchmark::State& state, const Router& router) {
    const conntrack::Table& table = router.conntrack().table();
    const std::size_t bytes = table.bytes_in_use() + router.nat().bytes_in_use();
    state.counters["bytes/conn"] = static_cast<double>(bytes) / static_cast<double>(table.size());
}

}  // namespace nsr::bench
