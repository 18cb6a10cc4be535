// Who runs: NAME.pid in /run/nsrouter, locked (flock) for as long as the process lives, so that a
// second instance of the same name is refused and a killed one is recognised as gone, whatever its
// file says. What a killed one left is in its journal (journal.hpp).
#pragma once

#include <string>

#include "netlink/descriptor.hpp"

namespace nsr::router {

// Holds the lock of an instance. Throws SystemError: EBUSY, naming the process, if it is running.
class InstanceLock {
  public:
    explicit InstanceLock(const std::string& name);
    ~InstanceLock();
    InstanceLock(const InstanceLock&) = delete;
    InstanceLock& operator=(const InstanceLock&) = delete;

  private:
    std::string path_;
    netlink::Descriptor file_;
};

// Removes what a killed instance of this name left, and says what, a name a line; empty: there was
// nothing. Throws SystemError (EBUSY) if it is running.
std::string clean_up_after(const std::string& name);

}  // namespace nsr::router
