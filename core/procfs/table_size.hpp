// How large the connection table is by default, and what entries cost.
#pragma once

#include <cstdint>

#include "core/conntrack/record/connection.hpp"

namespace nsr::procfs {

struct TableSize {
    std::uint32_t buckets = 0;
    std::uint32_t max = 0;
};

// By the memory of the machine (or of its cgroup, if that is less): a bucket for every 64 KiB, at
// least 32 and at most 16384, and four entries for every bucket: 128 MiB give 8192, 262016 kB
// 16376, 1 GiB and more 65536. kernel: nf_conntrack_init_start of the article's time
TableSize default_table_size(std::uint64_t memory_bytes);

// A record and its two references in the index.
inline constexpr std::uint64_t kBytesPerEntry =
    sizeof(conntrack::Connection) + 2 * sizeof(std::uint64_t);

}  // namespace nsr::procfs
