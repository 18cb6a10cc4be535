// How large the connection table is by default, from the memory there is.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace nsr::router {

struct TableSize {
    std::uint32_t buckets = 0;
    std::uint32_t max = 0;
    friend bool operator==(const TableSize&, const TableSize&) = default;
};

// buckets = memory / 64 KiB, at least 32, and 16384 above 1 GiB; max = 4 x buckets. 128 MiB gives
// 8192 connections, 262016 kB gives 16376, more than 1 GiB gives 65536.
TableSize default_table_size(std::uint64_t memory_bytes);

// The lesser of MemTotal and the limits of the control groups (v1 and v2) this process is in, with
// `read_file` giving the text of a file or nothing. 0: unknown.
using ReadFile = std::function<std::optional<std::string>(const std::string& path)>;
std::uint64_t memory_limit(const ReadFile& read_file);
// The same for this machine.
std::uint64_t memory_limit();

}  // namespace nsr::router
