#include "tests/bench/tun/probe.hpp"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/io_uring.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "tests/bench/tun/device.hpp"

namespace bench::tun {
namespace {

void say(const char* what, bool taken) {
    std::printf("%s: %s\n", what, taken ? "taken" : std::strerror(errno));
}

void try_kind(const char* what, const DeviceKind& kind) {
    const int fd = try_device(kind);
    say(what, fd >= 0);
    ::close(fd);
}

void try_offloads(int tun) {
    constexpr unsigned kTso = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    constexpr unsigned kUso = 0x20 | 0x40;
    constexpr unsigned kTunnel = 0x80, kTunnelChecksum = 0x100;
    say("TUNSETOFFLOAD of TSO4, TSO6, TSO_ECN", ::ioctl(tun, TUNSETOFFLOAD, kTso) == 0);
    say("with UFO", ::ioctl(tun, TUNSETOFFLOAD, kTso | TUN_F_UFO) == 0);
    say("with USO4, USO6", ::ioctl(tun, TUNSETOFFLOAD, kTso | kUso) == 0);
    int bytes = 24;  // virtio_net_hdr_v1_hash_tunnel
    const bool room = ::ioctl(tun, TUNSETVNETHDRSZ, &bytes) == 0;
    say("with UDP_TUNNEL_GSO, header of 24 bytes",
        room && ::ioctl(tun, TUNSETOFFLOAD, kTso | kUso | kTunnel) == 0);
    say("with UDP_TUNNEL_GSO_CSUM too",
        room && ::ioctl(tun, TUNSETOFFLOAD, kTso | kUso | kTunnel | kTunnelChecksum) == 0);
}

void try_splice(int tun) {
    int pipe[2] = {-1, -1};
    check("pipe", ::pipe2(pipe, O_NONBLOCK | O_CLOEXEC));
    say("splice from the device", ::splice(tun, nullptr, pipe[1], nullptr, 65536, 0) >= 0);
    const char frame[64] = {};
    check("write", static_cast<int>(::write(pipe[1], frame, sizeof frame)));
    say("splice to the device", ::splice(pipe[0], nullptr, tun, nullptr, sizeof frame, 0) >= 0);
    ::close(pipe[0]);
    ::close(pipe[1]);
}

void try_uring() {
    io_uring_params params{};
    const long fd = ::syscall(SYS_io_uring_setup, 8, &params);
    say("io_uring", fd >= 0);
    ::close(static_cast<int>(fd));
}

void time_system_calls() {
    constexpr unsigned kCalls = 1'000'000;
    const std::clock_t begin = std::clock();
    for (unsigned i = 0; i < kCalls; ++i) {
        ::syscall(SYS_getppid);
    }
    const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    std::printf("a system call: %.0f ns\n", seconds / kCalls * 1e9);
}

}  // namespace

void probe() {
    time_system_calls();
    const int tun = check("TUN device", try_device({}));
    try_offloads(tun);
    try_splice(tun);
    ::close(tun);
    try_kind("IFF_NAPI", {.napi = true});
    try_kind("IFF_NAPI_FRAGS of a TUN device", {.napi = true, .fragments = true});
    try_kind("IFF_NAPI_FRAGS of a TAP device", {.ethernet = true, .napi = true, .fragments = true});
    try_kind("IFF_MULTI_QUEUE", {.queues = 2});
    try_uring();
    say("/dev/vhost-net", ::access("/dev/vhost-net", R_OK | W_OK) == 0);
}

}  // namespace bench::tun
