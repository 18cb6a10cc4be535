#include "router/control/devices.hpp"

#include "core/base/add_counters.hpp"
#include "netlink/error.hpp"
#include "netlink/link.hpp"
#include "netlink/netns.hpp"
#include "router/control/controls.hpp"

namespace nsr::router {
namespace {

std::optional<std::uint64_t> queue_dropped(const Device& device) {
    if (device.ports.empty()) {
        return std::nullopt;
    }
    try {
        const netlink::Enter enter(device.netns);
        return netlink::link_tx_dropped(netlink::Socket(), device.name);
    } catch (const SystemError&) {
        return std::nullopt;
    }
}

}  // namespace

Port::Counters Device::counters() const {
    Port::Counters sum = in_other_shards;
    for (const Port* port : ports) {
        add_counters(sum, port->counters());
    }
    return sum;
}

Device device_of(const Controls& controls, const routing::Interface& interface) {
    const InterfaceConfig* configured = controls.config.find_interface(interface.name);
    Device device;
    device.ports = controls.engine.ports(interface.index);
    if (configured != nullptr) {
        device.name = configured->device;
        device.netns = configured->netns;
    } else {
        device.name = kHostDevice;
        device.netns = controls.config.host_netns;
    }
    if (device.ports.empty()) {
        device.name.clear();
    }
    if (controls.others != nullptr) {
        device.in_other_shards = controls.others->port_counters(interface.index);
    }
    return device;
}

QueueLosses::QueueLosses(const Controls& controls) : controls_(controls) {
    for (const routing::Interface& interface : controls.router.interfaces().all()) {
        interfaces_.push_back(interface.index);
    }
}

// An interface may have gone since.
bool QueueLosses::advance() {
    if (asked_ == interfaces_.size()) {
        return false;
    }
    const IfIndex index = interfaces_[asked_++];
    const routing::InterfaceTable& table = controls_.router.interfaces();
    const Device device = table.has(index) ? device_of(controls_, table.get(index)) : Device{};
    if (const auto dropped = queue_dropped(device)) {
        dropped_[index] = *dropped;
    }
    return true;
}

std::optional<std::uint64_t> QueueLosses::of(IfIndex interface) const {
    const auto found = dropped_.find(interface);
    return found == dropped_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace nsr::router
