// File: one virtual file that is not a sysctl, and what it shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/instant.hpp"
#include "core/base/result.hpp"
#include "core/pipeline/router.hpp"
#include "core/procfs/failure.hpp"
#include "core/procfs/nf_conntrack.hpp"

namespace nsr::procfs {

// Yields a file's text piece by piece.
class Cursor {
  public:
    virtual ~Cursor() = default;
    // Appends about `bytes` of text to `out`; false when that was the last of it.
    virtual bool read(std::string& out, std::size_t bytes, Instant now) = 0;
};

// What the files show; `kernel_log` gives the text of /dev/kmsg, kept by whoever runs the router.
struct Context {
    Router& router;
    LineFormat line_format = LineFormat::Article;
    std::function<std::string()> kernel_log;
    std::uint64_t memory_limit_bytes = 0;  // what no sysctl may exceed; 0: none is known
};

// Of a router in several shards, of which the first one is asked: it knows; or it does once the
// others have given it what they have counted; or its rows are followed by those of the others; or
// nobody can say it for all.
enum class Sharded : std::uint8_t { Alone, Sum, Rows, Refused };

struct File {
    std::string_view path;
    unsigned mode = 0444;         // that the kernel's file has
    bool needs_tracking = false;  // it exists only while connections are tracked
    Sharded sharded = Sharded::Sum;
    // One of these: the whole text, or a cursor over it.
    std::string (*read)(const Context&, Instant) = nullptr;
    std::unique_ptr<Cursor> (*open)(const Context&) = nullptr;
    Result<Done, Failure> (*write)(Context&, std::string_view text, Instant) = nullptr;  // or none
};

}  // namespace nsr::procfs
