#include "tests/bench/tun/device.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bench::tun {
namespace {

constexpr const char* kName = "tun0";
// Newer than the headers of some systems this builds on.
constexpr unsigned kUso = 0x20 | 0x40;
constexpr unsigned kTso = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;

int namespace_file(const std::string& path) {
    return check("open " + path, ::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

void enter(int netns) {
    check("setns", ::setns(netns, CLONE_NEWNET));
    ::close(netns);
}

short flags_of(const DeviceKind& kind) {
    int flags = IFF_NO_PI | IFF_VNET_HDR | (kind.ethernet ? IFF_TAP : IFF_TUN);
    flags |= kind.napi ? IFF_NAPI : 0;
    flags |= kind.fragments ? IFF_NAPI_FRAGS : 0;
    flags |= kind.queues > 1 ? IFF_MULTI_QUEUE : 0;
    return static_cast<short>(flags);
}

int open_queue(const DeviceKind& kind, const char* name) {
    const int mode = O_RDWR | O_CLOEXEC | (kind.blocking ? 0 : O_NONBLOCK);
    const int fd = check("open /dev/net/tun", ::open("/dev/net/tun", mode));
    ifreq request{};
    std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    request.ifr_flags = flags_of(kind);
    if (::ioctl(fd, TUNSETIFF, &request) != 0) {
        ::close(fd);
        return -1;
    }
    return fd;
}

void set_up() {
    const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq request{};
    std::strncpy(request.ifr_name, kName, IFNAMSIZ - 1);
    check("SIOCGIFFLAGS", ::ioctl(fd, SIOCGIFFLAGS, &request));
    request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
    check("SIOCSIFFLAGS", ::ioctl(fd, SIOCSIFFLAGS, &request));
    ::close(fd);
}

}  // namespace

Queues open_device(const std::string& netns, const DeviceKind& kind) {
    const int back = namespace_file("/proc/self/ns/net");
    enter(namespace_file("/run/netns/" + netns));
    Queues queues;
    while (queues.size() < kind.queues) {
        queues.push_back(check("TUNSETIFF", open_queue(kind, kName)));
    }
    check("TUNSETOFFLOAD", ::ioctl(queues.front(), TUNSETOFFLOAD, kTso | kUso));
    set_up();
    enter(back);
    return queues;
}

int try_device(const DeviceKind& kind) {
    return open_queue(kind, "");
}

void fail(const std::string& attempt) {
    std::perror(attempt.c_str());
    std::exit(1);
}

int check(const std::string& attempt, int result) {
    if (result < 0) {
        fail(attempt);
    }
    return result;
}

}  // namespace bench::tun
