#include "router/control/devices.hpp"

#include "netlink/error.hpp"
#include "netlink/link.hpp"
#include "netlink/netns.hpp"
#include "router/control/controls.hpp"

namespace nsr::router {

Port::Counters Device::counters() const {
    Port::Counters sum;
    for (const Port* port : ports) {
        sum.malformed_frames += port->counters().malformed_frames;
        sum.read_errors += port->counters().read_errors;
        sum.failed_writes += port->counters().failed_writes;
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
    return device;
}

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

}  // namespace nsr::router
