#include "router/log/stderr_copy.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace nsr::router {

void StderrCopy::write(std::string_view line) {
    if (!opened_) {
        reopen();
    }
    if (!settle() || !put(line)) {
        ++lost_;
        ++lost_in_all_;
    }
}

void StderrCopy::reopen() {
    opened_ = true;
    rest_.clear();
    own_.reset();
    struct stat file {};
    const bool known = ::fstat(STDERR_FILENO, &file) == 0;
    is_socket_ = known && S_ISSOCK(file.st_mode);
    if (known && (S_ISFIFO(file.st_mode) || S_ISCHR(file.st_mode))) {
        own_ = netlink::Descriptor(
            ::open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    }
}

// What is owed from before; false: there is no room for it yet.
bool StderrCopy::settle() {
    if (!rest_.empty() && (!put(std::string(rest_)) || !rest_.empty())) {
        return false;
    }
    if (lost_ == 0) {
        return true;
    }
    if (!put("nsrouter: " + std::to_string(lost_) + " lines of the log were not taken here\n")) {
        return false;
    }
    lost_ = 0;
    return rest_.empty();
}

// False: nothing of it had room. What had room only in part is finished by the next call.
bool StderrCopy::put(std::string_view text) {
    const ssize_t written =
        is_socket_ ? ::send(STDERR_FILENO, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                   : ::write(own_.valid() ? own_.get() : STDERR_FILENO, text.data(), text.size());
    if (written < 0) {
        return false;
    }
    rest_ = text.substr(static_cast<std::size_t>(written));
    return true;
}

}  // namespace nsr::router
