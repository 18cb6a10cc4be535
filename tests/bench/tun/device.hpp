// A TUN or TAP device in a named namespace, with the offloads that the router asks for.
#pragma once

#include <string>
#include <vector>

namespace bench::tun {

struct DeviceKind {
    bool ethernet = false;  // TAP
    bool napi = false;
    bool fragments = false;  // IFF_NAPI_FRAGS
    bool blocking = false;
    unsigned queues = 1;
};

// A descriptor for each queue; the device is up, and vanishes with them.
using Queues = std::vector<int>;

Queues open_device(const std::string& netns, const DeviceKind& kind);
// A device that is not needed, in this namespace: the descriptor, or -1 with errno.
int try_device(const DeviceKind& kind);

[[noreturn]] void fail(const std::string& attempt);
int check(const std::string& attempt, int result);

}  // namespace bench::tun
