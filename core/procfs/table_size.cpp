#include "core/procfs/table_size.hpp"

#include <algorithm>

namespace nsr::procfs {

TableSize default_table_size(std::uint64_t memory_bytes) {
    constexpr std::uint64_t kBytesPerBucket = std::uint64_t{64} * 1024;
    constexpr std::uint64_t kFewest = 32;
    constexpr std::uint64_t kMost = 16384;
    constexpr std::uint32_t kEntriesPerBucket = 4;
    const auto buckets =
        static_cast<std::uint32_t>(std::clamp(memory_bytes / kBytesPerBucket, kFewest, kMost));
    return {buckets, buckets * kEntriesPerBucket};
}

}  // namespace nsr::procfs
