// A NETLINK_ROUTE socket; it belongs to the namespace in which it was made.
#pragma once

#include <memory>

struct nl_sock;

namespace nsr::netlink {

class Socket {
  public:
    Socket();  // throws SystemError
    [[nodiscard]] nl_sock* get() const { return socket_.get(); }

  private:
    struct Free {
        void operator()(nl_sock* socket) const;
    };
    std::unique_ptr<nl_sock, Free> socket_;
};

}  // namespace nsr::netlink
