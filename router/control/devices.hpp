// The devices behind the interfaces of a running router, for whoever shows them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.hpp"
#include "core/routing/interface.hpp"
#include "router/ports/port.hpp"

namespace nsr::router {

struct Controls;

// One in a namespace may be gone: it has no ports and no name then.
struct Device {
    std::string name;
    std::string netns;
    std::vector<const Port*> ports;  // of the first shard
    Port::Counters in_other_shards = {};

    // Of all its ports.
    [[nodiscard]] Port::Counters counters() const;
};

Device device_of(const Controls& controls, const routing::Interface& interface);

// What namespaces sent faster than the router read it, by the kernel's own count. That is two
// system calls and an answer for each interface, so one is asked at a time.
class QueueLosses {
  public:
    explicit QueueLosses(const Controls& controls);

    // Asks for the next interface. False: all are asked.
    bool advance();
    // Nothing if the device or its namespace is gone, or has not been asked yet.
    [[nodiscard]] std::optional<std::uint64_t> of(IfIndex interface) const;

  private:
    const Controls& controls_;
    std::vector<IfIndex> interfaces_;  // as it began
    std::size_t asked_ = 0;
    std::map<IfIndex, std::uint64_t> dropped_;
};

}  // namespace nsr::router
