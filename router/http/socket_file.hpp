// The file of a unix socket in a folder that others may write to: nothing goes that is not a dead
// socket or our own.
#pragma once

#include <sys/types.h>

#include <string>

namespace nsr::router {

// A socket file that a killed process has left: whoever connects is refused.
bool is_dead_socket(const std::string& path);

// Whether a dead socket is at `path`. Throws SystemError that says what is there if that is
// anything else.
bool is_left_socket(const std::string& path);

// Makes room for a socket at `path`. Throws as is_left_socket() does.
void clear_socket_path(const std::string& path);

// The file that a socket of ours was bound to.
class SocketFile {
  public:
    SocketFile() = default;
    explicit SocketFile(std::string path);
    // Unless somebody has put something else there.
    void remove();

  private:
    std::string path_;  // empty: none
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

}  // namespace nsr::router
