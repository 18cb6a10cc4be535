#include "netlink/setting.hpp"

#include <fcntl.h>

#include <array>
#include <cerrno>

#include "netlink/descriptor.hpp"
#include "netlink/error.hpp"

namespace nsr::netlink {

std::optional<std::string> write_setting(const std::string& name, std::string_view value) {
    const std::string path = "/proc/sys/" + name;
    const Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!file.valid()) {
        if (errno == ENOENT) {
            return std::nullopt;
        }
        throw SystemError("open " + path, errno);
    }
    std::array<char, 64> before{};
    const ssize_t length = ::pread(file.get(), before.data(), before.size(), 0);
    if (length < 0 || ::pwrite(file.get(), value.data(), value.size(), 0) < 0) {
        throw SystemError("write " + path, errno);
    }
    return std::string(before.data(), static_cast<std::size_t>(length));
}

std::optional<std::string> read_setting(const std::string& name) {
    const std::string path = "/proc/sys/" + name;
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.valid()) {
        if (errno == ENOENT) {
            return std::nullopt;
        }
        throw SystemError("open " + path, errno);
    }
    std::array<char, 64> value{};
    const int length = check_call(
        "read " + path, static_cast<int>(::pread(file.get(), value.data(), value.size(), 0)));
    std::string text(value.data(), static_cast<std::size_t>(length));
    text.erase(text.find_last_not_of('\n') + 1);
    return text;
}

}  // namespace nsr::netlink
