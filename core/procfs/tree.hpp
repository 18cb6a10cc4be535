// Tree: the virtual files, whatever carries them (HTTP, the command line, replay).
//
// Theory of operation
//   A file is one row: path, mode, how to read it, what a write does. Small files are read whole;
//   the big tables through a Cursor that yields text in slices and survives changes of the table
//   between slices: no entry twice, none missed that lived throughout. A write takes the whole
//   text, as `echo ... > file` gives it, and answers with an Errno. Directories follow from the
//   paths. Sysctls are rows of their own table (sysctl.hpp) and appear here under /proc/sys.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/instant.hpp"
#include "core/base/result.hpp"
#include "core/procfs/failure.hpp"
#include "core/procfs/file.hpp"

namespace nsr::procfs {

class Tree {
  public:
    explicit Tree(Context context);
    ~Tree();

    struct Entry {
        std::string name;
        bool directory = false;
        unsigned mode = 0;  // permission bits, the kernel's for its files; whoever asks judges
    };
    // Nothing: there is no such file or directory.
    [[nodiscard]] std::optional<Entry> stat(std::string_view path) const;
    // Of what is no file: Sum.
    [[nodiscard]] Sharded sharded(std::string_view path) const;
    // Sorted by name.
    [[nodiscard]] Result<std::vector<Entry>, Failure> list(std::string_view directory) const;
    [[nodiscard]] Result<std::unique_ptr<Cursor>, Failure> open(std::string_view path) const;
    [[nodiscard]] Result<std::string, Failure> read(std::string_view path, Instant now) const;
    // The whole text, as `echo TEXT > PATH` gives it.
    Result<Done, Failure> write(std::string_view path, std::string_view text, Instant now);

    [[nodiscard]] Context& context();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nsr::procfs
