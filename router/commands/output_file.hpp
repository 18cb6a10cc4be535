// OutputFile: a file that is written anew, and stays what it was until it is replaced.
//
// Theory of operation
//   What has contents is written into a file without a name, which is gone with the process, and
//   which takes its place in the end. All else is written itself: a new or empty file, which has
//   nothing to lose, a device, a pipe, a file that has other names, and one that no other could
//   take the place of (a file system that has no files without names, a folder that may not be
//   written to, another owner, a mount point). Of those, one with contents loses them when writing
//   begins. A new one is removed again by the destructor unless all steps are taken: who is killed
//   leaves it. A standard stream (/dev/stdout) goes on where it is, unless links are not followed.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "netlink/descriptor.hpp"

namespace nsr::router {

// Owner: a file that was there is readable by its owner alone, too, once writing begins; symbolic
// links are not followed.
enum class Readers { All, Owner };

// Each step gives the errno of what failed, or 0.
class OutputFile {
  public:
    // Changes nothing of a file that is there.
    explicit OutputFile(std::string path, Readers readers = Readers::All);
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    [[nodiscard]] int error() const { return error_; }

    [[nodiscard]] int begin();
    [[nodiscard]] int descriptor() const { return file_.get(); }
    // All is written. Some file systems tell only now that there is no room.
    [[nodiscard]] int finish();
    [[nodiscard]] int replace();

  private:
    [[nodiscard]] bool open(int flags);
    void open_draft();

    std::string path_;
    Readers readers_;
    netlink::Descriptor file_;
    std::optional<struct stat> made_;  // a new file, which is not to stay yet
    std::string place_;                // that the draft is to take; empty: there is none
    bool is_regular_ = false;
    bool has_contents_ = false;
    int error_ = 0;
};

}  // namespace nsr::router
