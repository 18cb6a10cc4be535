#include "router/ports/tun_port.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace nsr::router {

routing::LinkCapabilities TunPort::capabilities() const {
    return {.checksum = tun_.tso, .gso_tcp = tun_.tso, .gso_udp = tun_.uso};
}

void TunPort::set_carrier(bool carrier) {
    netlink::set_carrier(tun_, carrier);
}

// Not read() and write(): in a process with threads they make themselves cancellable each time.
ssize_t TunPort::read_frame(std::span<std::uint8_t> space) {
    const ssize_t count = ::syscall(SYS_read, descriptor(), space.data(), space.size());
    if (count < 0) {
        return -errno;
    }
    return count;
}

ssize_t TunPort::write_frame(std::span<const std::uint8_t> frame) {
    const ssize_t count = ::syscall(SYS_write, descriptor(), frame.data(), frame.size());
    if (count < 0) {
        return -errno;
    }
    return count;
}

}  // namespace nsr::router
