#include "router/base/text_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "core/base/words.hpp"

namespace nsr::router {

namespace {

// What is written by another process, as for `<(...)` and /dev/stdin, may be late, but not for
// ever.
constexpr int kPatienceMilliseconds = 5'000;

class File {
  public:
    explicit File(const std::string& path)
        : fd_(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) {}
    ~File() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    [[nodiscard]] int get() const { return fd_; }

  private:
    int fd_;
};

FileError because(int error) {
    return FileError{std::strerror(error)};
}

// False: nobody has written anything for as long as we wait.
bool wait_for_data(int fd) {
    pollfd waiting{fd, POLLIN, 0};
    int ready = 0;
    do {
        ready = ::poll(&waiting, 1, kPatienceMilliseconds);
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

// Appends up to `limit_bytes`; nothing: all is read.
std::optional<FileError> read_all(int fd, std::size_t limit_bytes, std::string& text) {
    std::string chunk(std::size_t{1} << 16, '\0');
    for (;;) {
        if (!wait_for_data(fd)) {
            return FileError{"nobody writes to it"};
        }
        const ssize_t count = ::read(fd, chunk.data(), chunk.size());
        if (count < 0 && errno != EAGAIN && errno != EINTR) {
            return because(errno);
        }
        if (count == 0) {
            return std::nullopt;
        }
        text.append(chunk, 0, static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
        if (text.size() > limit_bytes) {
            return FileError{"larger than " + std::to_string(limit_bytes >> 20) + " MiB"};
        }
    }
}

}  // namespace

Result<std::string, FileError> read_text_file(const std::string& path, std::size_t limit_bytes) {
    const File file(path);
    struct stat facts {};
    if (file.get() < 0 || ::fstat(file.get(), &facts) != 0) {
        return because(errno);
    }
    if (S_ISDIR(facts.st_mode)) {
        return because(EISDIR);
    }
    if (S_ISBLK(facts.st_mode) || S_ISSOCK(facts.st_mode)) {
        return FileError{"it is neither a file nor a pipe"};
    }
    std::string text;
    if (auto error = read_all(file.get(), limit_bytes, text)) {
        return std::move(*error);
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
