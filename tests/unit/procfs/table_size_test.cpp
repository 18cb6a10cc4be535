#include "core/procfs/table_size.hpp"

#include <doctest/doctest.h>

using nsr::procfs::default_table_size;

namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

}  // namespace

TEST_CASE("the default table follows memory as the article says") {
    CHECK(default_table_size(128 * kMiB).max == 8192);
    CHECK(default_table_size(262016 * 1024).max == 16376);
    CHECK(default_table_size(262016 * 1024).buckets == 4094);
    CHECK(default_table_size(8192 * kMiB).max == 65536);
    CHECK(default_table_size(8192 * kMiB).buckets == 16384);
}

TEST_CASE("the edges: at least 32 buckets, at most 16384") {
    CHECK(default_table_size(0).buckets == 32);
    CHECK(default_table_size(2 * kMiB).buckets == 32);
    CHECK(default_table_size(2 * kMiB + 65536).buckets == 33);
    CHECK(default_table_size(1024 * kMiB - 1).buckets == 16383);
    CHECK(default_table_size(1024 * kMiB).buckets == 16384);
    CHECK(default_table_size(1024 * kMiB + 65536).buckets == 16384);
}
