// The memory of connection tables, as production has it (pages of 2 MB: HugeMemory), or plain.
#pragma once

#include <memory>

#include "core/conntrack/table/memory.hpp"
#include "router/daemon/huge_memory.hpp"

namespace nsr::bench {

// Plain memory has pages of 4 KB where the kernel gives huge ones to those alone who ask, as Debian
// has it: "madvise" in /sys/kernel/mm/transparent_hugepage/enabled.
enum class Pages : std::uint8_t { Huge, Small };

inline std::unique_ptr<conntrack::Memory> memory_of(Pages pages) {
    return pages == Pages::Huge ? std::make_unique<router::HugeMemory>()
                                : conntrack::anonymous_memory();
}

}  // namespace nsr::bench
