// The devices behind the interfaces of a running router, for whoever shows them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/routing/interface.hpp"
#include "router/ports/port.hpp"

namespace nsr::router {

struct Controls;

// One in a namespace may be gone: it has no ports and no name then.
struct Device {
    std::string name;
    std::string netns;
    std::vector<const Port*> ports;

    // Of all its ports.
    [[nodiscard]] Port::Counters counters() const;
};

Device device_of(const Controls& controls, const routing::Interface& interface);

// What the namespace sent faster than the router read it, by the kernel's own count: two system
// calls and an answer. Nothing if the device or its namespace is gone.
std::optional<std::uint64_t> queue_dropped(const Device& device);

}  // namespace nsr::router
