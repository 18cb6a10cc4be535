#include "netlink/socket.hpp"

#include <netlink/netlink.h>
#include <netlink/socket.h>

#include <cerrno>

#include "netlink/error.hpp"

namespace nsr::netlink {

Socket::Socket() : socket_(nl_socket_alloc()) {
    if (!socket_) {
        throw SystemError("make a netlink socket", ENOMEM);
    }
    check_netlink("connect to NETLINK_ROUTE", nl_connect(get(), NETLINK_ROUTE));
}

void Socket::Free::operator()(nl_sock* socket) const {
    nl_socket_free(socket);
}

}  // namespace nsr::netlink
