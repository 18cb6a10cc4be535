#include "router/base/text_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/base/words.hpp"

namespace nsr::router {

Result<std::string, FileError> read_text_file(const std::string& path, std::size_t limit_bytes) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) {
        return FileError{std::strerror(EISDIR)};
    }
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return FileError{std::strerror(errno != 0 ? errno : EIO)};
    }
    std::string text;
    std::string chunk(std::size_t{1} << 16, '\0');
    while (file.read(chunk.data(), static_cast<std::streamsize>(chunk.size())), file.gcount() > 0) {
        text.append(chunk, 0, static_cast<std::size_t>(file.gcount()));
        if (text.size() > limit_bytes) {
            return FileError{"larger than " + std::to_string(limit_bytes >> 20) + " MiB"};
        }
    }
    if (file.bad()) {
        return FileError{std::strerror(EIO)};
    }
    return text;
}

std::string resolve_path(std::string_view config_path, const std::string& path) {
    const std::filesystem::path given(path);
    if (given.is_absolute()) {
        return path;
    }
    return (std::filesystem::path(config_path).parent_path() / given).string();
}

Result<std::vector<std::string>, std::string> split_line(std::string_view line) {
    const auto words = split_words(line, Quoting::Shell);
    if (!words) {
        return std::string("a quote is not closed");
    }
    std::vector<std::string> texts;
    for (const Word& word : *words) {
        texts.push_back(word.text);
    }
    return texts;
}

}  // namespace nsr::router
