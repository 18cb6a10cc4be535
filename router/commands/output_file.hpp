// OutputFile: a file that is written anew, and stays what it was until it is replaced.
//
// Theory of operation
//   What has contents is written into a file without a name, which is gone with the process, and
//   which takes its place in the end. All else is written itself: a new or empty file, which has
//   nothing to lose, a device, a pipe, a file that has other names, and one that no other could
//   take the place of (a file system that has no files without names, a folder that may not be
//   written to, another owner, a mount point). Of those, one with contents loses them when writing
//   begins. A standard stream (/dev/stdout) goes on where it is.
#pragma once

#include <string>

#include "netlink/descriptor.hpp"

namespace nsr::router {

// Each step gives the errno of what failed, or 0.
class OutputFile {
  public:
    // Changes nothing of a file that is there.
    explicit OutputFile(const std::string& path);
    [[nodiscard]] int error() const { return error_; }

    [[nodiscard]] int begin();
    [[nodiscard]] int descriptor() const { return file_.get(); }
    // All is written. Some file systems tell only now that there is no room.
    [[nodiscard]] int finish();
    [[nodiscard]] int replace();

  private:
    void open_draft(const std::string& path);

    netlink::Descriptor file_;
    std::string place_;  // that the draft is to take; empty: there is none
    bool has_contents_ = false;
    int error_ = 0;
};

}  // namespace nsr::router
