// Whose socket is at the other end of a TCP connection within this machine, as `ss -e` shows it.
//
// Theory of operation
//   The kernel is asked by sock_diag(7) for the one socket with these two ends (inet_diag, exact
//   lookup, no dump). It answers within the call that asks, so that nobody waits. What it says of a
//   socket that its process has closed (an orphan, TIME_WAIT) or that is not connected yet has no
//   owner in it, only a zero, which must not be taken for root: such an answer counts as none. A
//   user whom the user namespace of this process does not know comes as the kernel's overflow uid.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "core/wire/address.hpp"
#include "netlink/descriptor.hpp"

namespace nsr::netlink {

struct TcpEnd {
    IpAddress address;
    std::uint16_t port = 0;
};

// It sees the network namespace in which it was made.
class SocketOwners {
  public:
    SocketOwners();  // throws SystemError
    // The user who made the socket that is bound to `from` and connected to `to`.
    [[nodiscard]] std::optional<uid_t> owner_of(const TcpEnd& from, const TcpEnd& to) const;

  private:
    Descriptor socket_;
};

}  // namespace nsr::netlink
