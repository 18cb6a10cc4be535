#include "netlink/netns.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string_view>
#include <utility>

#include "netlink/error.hpp"

namespace nsr::netlink {
namespace {

constexpr const char* kDirectory = "/run/netns";
constexpr const char* kOwnNamespace = "/proc/thread-self/ns/net";
constexpr std::size_t kMaxName = 64;
constexpr long kNsfsMagic = 0x6e736673;  // <linux/magic.h>: NSFS_MAGIC
constexpr int kNetnsCookie = 71;         // SO_NETNS_COOKIE, newer than some headers
constexpr std::string_view kProcessPrefix = "pid:";

std::string path_of(const std::string& name) {
    return std::string(kDirectory) + "/" + name;
}

Descriptor open_own() {
    return Descriptor(check_call("open the current network namespace",
                                 ::open(kOwnNamespace, O_RDONLY | O_CLOEXEC)));
}

void go_home(const Descriptor& home) {
    if (::setns(home.get(), CLONE_NEWNET) != 0) {
        std::perror("nsrouter: cannot return to its own network namespace");
        std::abort();
    }
}

// Mounts below /run/netns must reach every mount namespace, or a name removed here lives on there.
void share_directory() {
    if (::mkdir(kDirectory, 0755) != 0 && errno != EEXIST) {
        throw SystemError("create /run/netns", errno);
    }
    if (::mount("", kDirectory, "none", MS_SHARED | MS_REC, nullptr) == 0) {
        return;
    }
    if (errno != EINVAL) {
        throw SystemError("share the mounts of /run/netns", errno);
    }
    check_call("bind /run/netns to itself",
               ::mount(kDirectory, kDirectory, "none", MS_BIND | MS_REC, nullptr));
    check_call("share the mounts of /run/netns",
               ::mount("", kDirectory, "none", MS_SHARED | MS_REC, nullptr));
}

void require_valid(const std::string& name) {
    if (!valid_netns_name(name)) {
        throw SystemError("use network namespace '" + name + "'", EINVAL,
                          "a name is 1 to 64 letters, digits, '.', '_' or '-'");
    }
}

// A file that is no namespace must neither be waited for (a FIFO) nor entered.
Descriptor open_netns(const std::string& netns) {
    return Descriptor(
        ::open(netns_path(netns).c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
}

bool is_namespace(const Descriptor& file) {
    struct statfs facts {};
    return file.valid() && ::fstatfs(file.get(), &facts) == 0 && facts.f_type == kNsfsMagic;
}

std::uint64_t inode_of(const Descriptor& file) {
    struct stat facts {};
    check_call("look at a network namespace", ::fstat(file.get(), &facts));
    return facts.st_ino;
}

std::uint64_t cookie_here() {
    const Descriptor socket(
        check_call("make a socket", ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
    std::uint64_t cookie = 0;
    socklen_t length = sizeof cookie;
    if (::getsockopt(socket.get(), SOL_SOCKET, kNetnsCookie, &cookie, &length) == 0) {
        return cookie;
    }
    return inode_of(open_own());
}

std::optional<pid_t> number_at(std::string_view text) {
    pid_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool ends = end == text.data() + text.size() || *end == '/';
    if (error != std::errc() || !ends || number <= 0) {
        return std::nullopt;
    }
    return number;
}

// In the namespace that the thread has just made. 0, or the errno.
int give_name(const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0));
    if (!file.valid()) {
        return errno;
    }
    if (::mount(kOwnNamespace, path.c_str(), "none", MS_BIND, nullptr) != 0) {
        const int error = errno;
        ::unlink(path.c_str());
        return error;
    }
    return 0;
}

}  // namespace

bool valid_netns_name(const std::string& name) {
    const auto allowed = [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= kMaxName && name != "." && name != ".." &&
           std::all_of(name.begin(), name.end(), allowed);
}

std::string netns_path(const std::string& netns) {
    if (netns.empty()) {
        return kOwnNamespace;
    }
    if (netns.front() == '/') {
        return netns;
    }
    if (const auto process = netns_process(netns)) {
        return "/proc/" + std::to_string(*process) + "/ns/net";
    }
    require_valid(netns);
    return path_of(netns);
}

std::optional<pid_t> netns_process(const std::string& netns) {
    for (const std::string_view prefix : {kProcessPrefix, std::string_view("/proc/")}) {
        if (netns.starts_with(prefix)) {
            return number_at(std::string_view(netns).substr(prefix.size()));
        }
    }
    return std::nullopt;
}

std::uint64_t netns_inode(const std::string& netns) {
    const Descriptor file = open_netns(netns);
    if (!is_namespace(file)) {
        return 0;
    }
    return inode_of(file);
}

std::uint64_t netns_cookie(const std::string& netns) {
    if (!netns_exists(netns)) {
        return 0;
    }
    const Enter enter(netns);
    return cookie_here();
}

void create_netns(const std::string& name,
                  const std::function<void(std::uint64_t cookie)>& before_name) {
    require_valid(name);
    const std::string attempt = "create network namespace " + name;
    share_directory();
    const std::string path = path_of(name);
    if (::access(path.c_str(), F_OK) == 0) {
        throw SystemError(attempt, EEXIST);
    }
    int error = 0;
    {
        const Descriptor home = open_own();
        check_call(attempt, ::unshare(CLONE_NEWNET));
        std::exception_ptr failure;
        try {
            before_name(cookie_here());
            error = give_name(path);
        } catch (...) {
            failure = std::current_exception();
        }
        go_home(home);
        if (failure) {
            std::rethrow_exception(failure);
        }
    }
    if (error != 0) {
        throw SystemError(attempt, error);
    }
}

void remove_netns(const std::string& name) {
    require_valid(name);
    const std::string path = path_of(name);
    ::umount2(path.c_str(), MNT_DETACH);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        throw SystemError("remove network namespace " + name, errno);
    }
}

bool is_empty_netns_name(const std::string& name) {
    require_valid(name);
    struct stat facts {};
    return ::lstat(path_of(name).c_str(), &facts) == 0 && S_ISREG(facts.st_mode) &&
           facts.st_size == 0 && !netns_exists(name);
}

Enter::Enter(const std::string& netns) {
    if (netns.empty()) {
        return;
    }
    const std::string attempt = "enter network namespace " + netns;
    const Descriptor target = open_netns(netns);
    check_call(attempt, target.get());
    if (!is_namespace(target)) {
        throw SystemError(attempt, EINVAL, netns_path(netns) + " is not a network namespace");
    }
    Descriptor home = open_own();
    check_call(attempt, ::setns(target.get(), CLONE_NEWNET));
    home_ = std::move(home);
}

Enter::~Enter() {
    if (home_.valid()) {
        go_home(home_);
    }
}

}  // namespace nsr::netlink
