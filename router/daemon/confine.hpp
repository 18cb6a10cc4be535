// What a router may still do once packets flow: whatever a packet could make of it, not more.
//
// Theory of operation
//   confine() is called at the end of the set-up and cannot be undone. It gives up all capabilities
//   but those of kKept below, which removing (and adding) devices and namespaces takes; sets
//   no_new_privs; and installs a seccomp filter, a list of the system calls that the running router
//   makes, by what they are for, some of them with their arguments. Any other call ends the process
//   with SIGSYS, after a line on standard error that names the call: it would be a fault of ours or
//   somebody else's code, and neither should go on. A sanitizer's own calls are on the list in
//   builds that have one. seccomp(2), capabilities(7)
#pragma once

#include <functional>
#include <span>
#include <string>

namespace nsr::router {

// `socket_path`: of the unix socket that has to be removed at the end; empty: none. `last` is
// called between the two halves: threads that it makes are confined in the same way. Throws
// SystemError.
void confine(const std::string& socket_path, const std::function<void()>& last);

// Its two halves: of this thread (and those that it makes later), and of all threads.
void keep_capabilities(std::span<const unsigned> kept);
void filter_system_calls();

}  // namespace nsr::router
