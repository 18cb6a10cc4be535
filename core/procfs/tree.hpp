// Tree: the virtual files, whatever carries them (HTTP, the command line, replay).
//
// Theory of operation
//   A file is one row: path, mode, how to read it, what a write does. Small files are read whole;
//   the big tables through a Cursor that yields text in slices and survives changes of the table
//   between slices: no entry twice, none missed that lived throughout. A write takes the whole
//   text, as `echo ... > file` gives it, and answers with an Errno. Directories follow from the
//   paths. Sysctls are rows of their own table (sysctl.hpp) and appear here under /proc/sys.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/instant.hpp"
#include "core/base/result.hpp"
#include "core/pipeline/router.hpp"

namespace nsr::procfs {

enum class Errno : std::uint8_t {
    NoEntry,
    IsDirectory,
    NotDirectory,
    Access,
    Invalid,
    Busy,
    NoMemory
};
std::string_view name_of(Errno error);  // "ENOENT"
std::string_view text_of(Errno error);  // "No such file or directory"

struct Failure {
    Errno code = Errno::Invalid;
    std::string detail;  // what would have been right: "0..255"
};

// Yields a file's text piece by piece.
class Cursor {
  public:
    virtual ~Cursor() = default;
    // Appends about `bytes` of text to `out`; false when that was the last of it.
    virtual bool read(std::string& out, std::size_t bytes, Instant now) = 0;
};

enum class LineFormat : std::uint8_t { Article, Kernel };

// What the files show; `kernel_log` gives the text of /dev/kmsg, kept by whoever runs the router.
struct Context {
    Router& router;
    LineFormat line_format = LineFormat::Article;
    std::function<std::string()> kernel_log;
    std::uint64_t memory_limit_bytes = 0;  // for refusing an unaffordable nf_conntrack_max
};

class Tree {
  public:
    explicit Tree(Context context);
    ~Tree();

    struct Entry {
        std::string name;
        bool directory = false;
        unsigned mode = 0;  // permission bits, the kernel's for its files; whoever asks judges
    };
    [[nodiscard]] std::optional<Entry> stat(std::string_view path) const;
    [[nodiscard]] Result<std::vector<Entry>, Failure> list(
        std::string_view directory) const;  // sorted by name
    [[nodiscard]] Result<std::unique_ptr<Cursor>, Failure> open(std::string_view path) const;
    [[nodiscard]] Result<std::string, Failure> read(std::string_view path, Instant now) const;
    std::optional<Failure> write(std::string_view path, std::string_view text, Instant now);

    [[nodiscard]] Context& context();

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace nsr::procfs
