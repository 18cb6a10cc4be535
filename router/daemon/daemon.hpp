// Telling whoever started us that we are ready: the parent of `run --daemon`, and systemd.
#pragma once

#include <string_view>

#include "netlink/descriptor.hpp"

namespace nsr::router {

// `run --daemon`: the process that the user started waits for the one that does the work.
class Daemon {
  public:
    // Forks. The parent does not return: it exits with 0 when ready() is called in the child, with
    // 1 when the child ends before. Throws SystemError.
    static Daemon detach();
    // Lets the parent go, and standard output and error with it.
    void ready();

  private:
    netlink::Descriptor to_parent_;
};

// One datagram to $NOTIFY_SOCKET ("READY=1", "RELOADING=1", "STOPPING=1"); nothing without one.
void notify_systemd(std::string_view state);

}  // namespace nsr::router
