// What connection tracking counts. kernel: the columns of /proc/net/stat/nf_conntrack
#pragma once

#include <cstdint>

namespace nsr::conntrack {

struct Stats {
    std::uint64_t found = 0;
    std::uint64_t invalid = 0;
    std::uint64_t insert = 0;
    std::uint64_t insert_failed = 0;
    std::uint64_t drop = 0;
    std::uint64_t early_drop = 0;
    std::uint64_t icmp_error = 0;
    std::uint64_t expect_new = 0;
    std::uint64_t expect_create = 0;
    std::uint64_t expect_delete = 0;
    std::uint64_t search_restart = 0;
    std::uint64_t clashres = 0;
    std::uint64_t chaintoolong = 0;
};

}  // namespace nsr::conntrack
