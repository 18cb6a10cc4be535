#include "netlink/setting.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>

#include "netlink/descriptor.hpp"
#include "netlink/error.hpp"

namespace nsr::netlink {

namespace {

// Nothing: the kernel has none of that name.
std::optional<Descriptor> open_setting(const std::string& path, int access) {
    Descriptor file(::open(path.c_str(), access | O_CLOEXEC));
    if (file.valid()) {
        return file;
    }
    if (errno == ENOENT) {
        return std::nullopt;
    }
    throw SystemError("open " + path, errno);
}

}  // namespace

std::optional<std::string> write_setting(const std::string& name, std::string_view value) {
    const std::string path = "/proc/sys/" + name;
    const auto file = open_setting(path, O_RDWR);
    if (!file) {
        return std::nullopt;
    }
    std::array<char, 64> before{};
    const ssize_t length = ::pread(file->get(), before.data(), before.size(), 0);
    if (length < 0 || ::pwrite(file->get(), value.data(), value.size(), 0) < 0) {
        throw SystemError("write " + path, errno);
    }
    return std::string(before.data(), static_cast<std::size_t>(length));
}

std::optional<std::string> read_setting(const std::string& name) {
    const std::string path = "/proc/sys/" + name;
    const auto file = open_setting(path, O_RDONLY);
    if (!file) {
        return std::nullopt;
    }
    std::array<char, 64> value{};
    const int length = check_call(
        "read " + path, static_cast<int>(::pread(file->get(), value.data(), value.size(), 0)));
    std::string text(value.data(), static_cast<std::size_t>(length));
    text.erase(text.find_last_not_of('\n') + 1);
    return text;
}

}  // namespace nsr::netlink
