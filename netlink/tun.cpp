#include "netlink/tun.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

#include "netlink/error.hpp"

namespace nsr::netlink {
namespace {

// Newer than the headers of some systems this builds on.
constexpr unsigned kUso4 = 0x20;
constexpr unsigned kUso6 = 0x40;
constexpr unsigned kTso = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
constexpr int kVnetHeaderBytes = 10;

bool set_offload(const Tun& tun, unsigned features) {
    return ::ioctl(tun.descriptor.get(), TUNSETOFFLOAD, features) == 0;
}

void negotiate_offload(Tun& tun) {
    if (set_offload(tun, kTso | kUso4 | kUso6)) {
        tun.tso = true;
        tun.uso = true;
    } else if (set_offload(tun, kTso)) {
        tun.tso = true;
    } else {
        set_offload(tun, 0);
    }
}

}  // namespace

Tun open_tun(const std::string& name, bool offload) {
    const std::string attempt = "open TUN device " + name;
    if (name.empty() || name.size() >= IFNAMSIZ) {
        throw SystemError(attempt, ENAMETOOLONG, "a device name is 1 to 15 characters");
    }
    Tun tun;
    tun.name = name;
    tun.descriptor = Descriptor(
        check_call("open /dev/net/tun", ::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC)));
    ifreq request{};
    std::memcpy(request.ifr_name, name.c_str(), name.size());
    request.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
    check_call(attempt, ::ioctl(tun.descriptor.get(), TUNSETIFF, &request));
    int header_bytes = kVnetHeaderBytes;
    check_call(attempt, ::ioctl(tun.descriptor.get(), TUNSETVNETHDRSZ, &header_bytes));
    if (offload) {
        negotiate_offload(tun);
    } else {
        set_offload(tun, 0);
    }
    return tun;
}

void set_carrier(const Tun& tun, bool carrier) {
    int value = carrier ? 1 : 0;
    check_call("set the carrier of device " + tun.name,
               ::ioctl(tun.descriptor.get(), TUNSETCARRIER, &value));
}

}  // namespace nsr::netlink
