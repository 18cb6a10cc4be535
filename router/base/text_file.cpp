#include "router/base/text_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

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

namespace {

// One word, from `position` on; quotes and backslashes are resolved. Nothing: a quote stays open.
std::optional<std::string> take_word(std::string_view line, std::size_t& position) {
    std::string word;
    char quote = 0;
    for (; position < line.size(); ++position) {
        const char c = line[position];
        if (quote == 0 && (c == ' ' || c == '\t')) {
            break;
        }
        if (c == '\\' && quote != '\'' && position + 1 < line.size()) {
            word += line[++position];
        } else if (quote != 0 ? c == quote : (c == '"' || c == '\'')) {
            quote = quote != 0 ? '\0' : c;
        } else {
            word += c;
        }
    }
    return quote == 0 ? std::optional(word) : std::nullopt;
}

}  // namespace

Result<std::vector<std::string>, std::string> split_words(std::string_view line) {
    std::vector<std::string> words;
    std::size_t position = 0;
    while ((position = line.find_first_not_of(" \t", position)) != std::string_view::npos) {
        std::optional<std::string> word = take_word(line, position);
        if (!word) {
            return std::string("a quote is not closed");
        }
        words.push_back(std::move(*word));
    }
    return words;
}

}  // namespace nsr::router
