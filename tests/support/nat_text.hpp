// What the files of NAT show of a World.
#pragma once

#include <memory>
#include <string>

#include "core/procfs/tree.hpp"
#include "tests/support/world.hpp"

namespace nsr::test {

inline std::string file_of(World& world, const std::string& path) {
    procfs::Tree tree(procfs::Context{world.router()});
    const auto text = tree.read(path, world.now());
    return text ? *text : std::string("none");
}

inline std::string mappings_of(World& world) {
    return file_of(world, "/proc/nsrouter/nat_mappings");
}

inline std::string ports_of(World& world) {
    return file_of(world, "/proc/nsrouter/nat_ports");
}

}  // namespace nsr::test
