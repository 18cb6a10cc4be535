// OutputFile: a file that is written anew, and stays what it was until it is kept.
//
// Theory of operation
//   What has contents is written beside, as a draft, which takes its place when it is kept and goes
//   when it is not. All else is written itself: a new or empty file, which has nothing to lose, a
//   device, a pipe, and a file beside which none can be made that could take its place (a folder
//   that may not be written to, another owner, a mount point).
#pragma once

#include <string>

#include "netlink/descriptor.hpp"

namespace nsr::router {

class OutputFile {
  public:
    OutputFile() = default;
    explicit OutputFile(const std::string& path);
    ~OutputFile() { drop_draft(); }
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    // The errno of opening it; 0: it is open.
    [[nodiscard]] int error() const { return error_; }
    [[nodiscard]] int descriptor() const { return file_.get(); }
    // All is written. Gives the errno of what failed, or 0.
    [[nodiscard]] int keep();

  private:
    void open_draft();
    void drop_draft();

    netlink::Descriptor file_;
    std::string place_;  // of the file itself, where there is a draft
    std::string draft_;
    int error_ = 0;
};

}  // namespace nsr::router
