// How much memory there is for the router.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace nsr::router {

// The lesser of MemTotal and the limits of the control groups (v1 and v2) this process is in, with
// `read_file` giving the text of a file or nothing. 0: unknown.
using ReadFile = std::function<std::optional<std::string>(const std::string& path)>;
std::uint64_t memory_limit(const ReadFile& read_file);
// The same for this machine.
std::uint64_t memory_limit();

}  // namespace nsr::router
