// Network namespaces: by name, as ip-netns(8) keeps them (a file of /run/netns with the namespace
// mounted on it), by path, or by a process that is in one.
//
// Theory of operation
//   Everything that must happen inside a namespace runs in the scope of an Enter: it moves the
//   calling thread there and brings it back; sockets and TUN devices opened in that scope stay with
//   the namespace for life, and keep it alive without a name. Coming back cannot fail in a way one
//   could live with, so failure there stops the program. `netns` below is what a user writes: a
//   name, which is one path component and nothing else; an absolute path; "pid:N"; empty for the
//   namespace that the thread is in. The kernel gives out the inodes of dead namespaces again, but
//   a cookie only once, so the cookie tells ours from one that somebody made later under the same
//   name. An inode tells them apart for as long as the first one lives.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "netlink/descriptor.hpp"

namespace nsr::netlink {

bool valid_netns_name(const std::string& name);
// Where the namespace is found. Throws SystemError for what is no name, path or process.
std::string netns_path(const std::string& netns);
// The process by which it is found: of "pid:N", and of a path below /proc/N.
std::optional<pid_t> netns_process(const std::string& netns);

// Inode of the namespace; 0 if there is none.
std::uint64_t netns_inode(const std::string& netns);
// Its cookie (its inode, where the kernel is older than cookies); 0 if there is none.
// kernel: SO_NETNS_COOKIE, since 5.14
std::uint64_t netns_cookie(const std::string& netns);
inline bool netns_exists(const std::string& netns) {
    return netns_inode(netns) != 0;
}

// As `ip netns add`. `before_name` is called with the cookie of the new namespace when nothing
// names it yet: what it notes down is noted before there is anything to clean up. Throws
// SystemError (EEXIST if there is one).
void create_netns(const std::string& name,
                  const std::function<void(std::uint64_t cookie)>& before_name);
// As `ip netns del`: the name goes, the namespace itself when nobody uses it any more. Nothing if
// it is gone already.
void remove_netns(const std::string& name);
// There is a file of that name with no namespace on it, as a creation that was killed leaves it.
bool is_empty_netns_name(const std::string& name);

// The calling thread is in the namespace while this lives. Throws SystemError.
class Enter {
  public:
    explicit Enter(const std::string& netns);
    Enter(const Enter&) = delete;
    Enter& operator=(const Enter&) = delete;
    ~Enter();

  private:
    Descriptor home_;
};

}  // namespace nsr::netlink
