#include <doctest/doctest.h>

#include <map>

#include "router/daemon/memory_limit.hpp"

using nsr::router::memory_limit;

namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

std::uint64_t limit_with(const std::map<std::string, std::string>& files) {
    return memory_limit([&](const std::string& path) -> std::optional<std::string> {
        const auto found = files.find(path);
        return found == files.end() ? std::nullopt : std::optional(found->second);
    });
}

const std::string kMeminfo = "MemTotal:         262016 kB\nMemFree:  1 kB\n";

}  // namespace

TEST_CASE("memory limit: without control groups it is what the machine has") {
    CHECK(limit_with({{"/proc/meminfo", kMeminfo}}) == 262016ull * 1024);
    CHECK(limit_with({}) == 0);
}

TEST_CASE("memory limit: the tightest control group on the way up counts (v2)") {
    CHECK(limit_with({{"/proc/meminfo", kMeminfo},
                      {"/proc/self/cgroup", "0::/outer/inner\n"},
                      {"/sys/fs/cgroup/outer/inner/memory.max", "max\n"},
                      {"/sys/fs/cgroup/outer/memory.max", "134217728\n"}}) == 128 * kMiB);
    CHECK(limit_with({{"/proc/meminfo", kMeminfo},
                      {"/proc/self/cgroup", "0::/\n"},
                      {"/sys/fs/cgroup/memory.max", "67108864\n"}}) == 64 * kMiB);
}

TEST_CASE("memory limit: the memory controller of the first generation") {
    CHECK(limit_with({{"/proc/meminfo", kMeminfo},
                      {"/proc/self/cgroup", "5:cpu,cpuacct:/x\n4:memory:/box\n"},
                      {"/sys/fs/cgroup/memory/box/memory.limit_in_bytes", "33554432\n"}}) ==
          32 * kMiB);
    // "No limit" is a number larger than any memory there.
    CHECK(limit_with({{"/proc/meminfo", kMeminfo},
                      {"/proc/self/cgroup", "4:memory:/box\n"},
                      {"/sys/fs/cgroup/memory/box/memory.limit_in_bytes",
                       "9223372036854771712\n"}}) == 262016ull * 1024);
}
