// Network namespaces by name, as ip-netns(8) keeps them: a file of /run/netns with the namespace
// mounted on it.
//
// Theory of operation
//   Everything that must happen inside a namespace runs in the scope of an Enter: it moves the
//   calling thread there and brings it back; sockets and TUN devices opened in that scope stay with
//   the namespace for life. Coming back cannot fail in a way one could live with, so failure there
//   stops the program. A name is one path component: anything else is refused before it becomes a
//   path. The identity of a namespace is the inode of its nsfs file, which is what tells ours from
//   one that somebody made later under the same name.
#pragma once

#include <cstdint>
#include <string>

#include "netlink/descriptor.hpp"

namespace nsr::netlink {

bool valid_netns_name(const std::string& name);
bool netns_exists(const std::string& name);
// As `ip netns add`. Throws SystemError (EEXIST if there is one).
void create_netns(const std::string& name);
// As `ip netns del`: the name goes, the namespace itself when nobody uses it any more. Nothing if
// it is gone already.
void remove_netns(const std::string& name);
// Inode of the namespace; 0 if there is none of that name.
std::uint64_t netns_inode(const std::string& name);

// The calling thread is in the namespace while this lives. An empty name: where it already is.
class Enter {
  public:
    explicit Enter(const std::string& name);
    Enter(const Enter&) = delete;
    Enter& operator=(const Enter&) = delete;
    ~Enter();

  private:
    Descriptor home_;
};

}  // namespace nsr::netlink
