// The files of /run/nsrouter, made and read so that nobody else is behind them.
//
// Theory of operation
//   The directory is ours or root's and nobody else may write to it, else nothing there is touched.
//   Files are 0600, are never reached through a symbolic link, and are replaced as a whole: a
//   reader, or the next start after a crash, sees the old text or the new one. What several routers
//   must agree on (who is there, who uses a namespace) is looked at and changed under RunLock,
//   which is held for single steps only.
#pragma once

#include <string>
#include <vector>

#include "netlink/descriptor.hpp"

namespace nsr::router {

// Makes the directory if it is not there. Throws SystemError if it cannot be trusted.
void require_run_directory();

// Empty: there is none.
std::string read_run_file(const std::string& path);
// Empty: the file goes. Throws SystemError.
void replace_run_file(const std::string& path, const std::string& text);

// Removes what killed ones had begun to write: for the instance `name`, whose lock is held, and of
// what is about namespaces. Under RunLock.
void remove_drafts(const std::string& name);

// Throws SystemError.
class RunLock {
  public:
    RunLock();

  private:
    netlink::Descriptor file_;
};

// Whether an instance of that name lives. Under RunLock.
bool is_running(const std::string& name);
// The names of all that have a state file, living or not.
std::vector<std::string> instances_with_state();

}  // namespace nsr::router
