// Reading the files that a configuration names.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace nsr::router {

struct FileError {
    std::string text;  // "No such file or directory", "larger than 64 MiB"
};

// The whole file, or why not. A pipe or a terminal is read to its end, but is given up when nothing
// comes from it for 5 seconds: nobody may write to it, ever.
Result<std::string, FileError> read_text_file(const std::string& path, std::size_t limit_bytes);

// `path` as seen from the folder of the configuration file.
std::string resolve_path(std::string_view config_path, const std::string& path);

// The words of a line as a shell reads it. The error says that a quote is not closed.
Result<std::vector<std::string>, std::string> split_line(std::string_view line);

}  // namespace nsr::router
