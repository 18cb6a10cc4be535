// A tar archive (POSIX ustar) in memory: plain files, nothing else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace nsr::router {

struct ArchivedFile {
    std::string name;  // with slashes; at most 99 bytes are written
    std::string bytes;
};

// Owned by root, mode 0600, modified at `seconds` since 1970.
std::string tar_of(const std::vector<ArchivedFile>& files, std::uint64_t seconds);

// Folders and what else is no plain file are passed over. The error says what is wrong.
Result<std::vector<ArchivedFile>, std::string> files_in_tar(std::string_view bytes);

}  // namespace nsr::router
