#include "router/daemon/daemon.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "netlink/error.hpp"

namespace nsr::router {
namespace {

[[noreturn]] void wait_for(int from_child, pid_t child) {
    char byte = 0;
    ssize_t count = 0;
    do {
        count = ::read(from_child, &byte, 1);
    } while (count < 0 && errno == EINTR);
    if (count == 1) {
        ::_exit(EXIT_SUCCESS);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ::_exit(WIFEXITED(status) && WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : EXIT_FAILURE);
}

}  // namespace

Daemon Daemon::detach() {
    // What whoever started us had open is not ours to hold: a pipe would never end.
    ::close_range(STDERR_FILENO + 1, ~0u, 0);
    std::array<int, 2> ends{};
    netlink::check_call("make a pipe", ::pipe2(ends.data(), O_CLOEXEC));
    netlink::Descriptor from_child(ends[0]);
    Daemon daemon;
    daemon.to_parent_ = netlink::Descriptor(ends[1]);
    const pid_t child = netlink::check_call("start a process", ::fork());
    if (child != 0) {
        daemon.to_parent_.reset();
        wait_for(from_child.get(), child);
    }
    ::setsid();
    return daemon;
}

void Daemon::ready() {
    if (!to_parent_.valid()) {
        return;
    }
    const netlink::Descriptor null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (null.valid()) {
        for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
            ::dup2(null.get(), standard);
        }
    }
    const char byte = 0;
    if (::write(to_parent_.get(), &byte, 1) != 1) {
        // The parent was killed; nobody waits.
    }
    to_parent_.reset();
}

void notify_systemd(std::string_view state) {
    const char* path = std::getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    if (path == nullptr || path[0] == '\0' || std::strlen(path) >= sizeof address.sun_path) {
        return;
    }
    address.sun_family = AF_UNIX;
    const std::size_t length = std::strlen(path);
    std::memcpy(address.sun_path, path, length);
    if (address.sun_path[0] == '@') {
        address.sun_path[0] = '\0';  // an abstract socket
    }
    const netlink::Descriptor socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (socket.valid()) {
        ::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL,
                 reinterpret_cast<const sockaddr*>(&address),
                 static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length));
    }
}

}  // namespace nsr::router
