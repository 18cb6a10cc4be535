#include "netlink/netns.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "netlink/error.hpp"

namespace nsr::netlink {
namespace {

constexpr const char* kDirectory = "/run/netns";
constexpr const char* kOwnNamespace = "/proc/thread-self/ns/net";
constexpr std::size_t kMaxName = 64;

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

}  // namespace

bool valid_netns_name(const std::string& name) {
    const auto allowed = [](unsigned char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '.' || c == '_' || c == '-';
    };
    return !name.empty() && name.size() <= kMaxName && name != "." && name != ".." &&
           std::all_of(name.begin(), name.end(), allowed);
}

bool netns_exists(const std::string& name) {
    return netns_inode(name) != 0;
}

void create_netns(const std::string& name) {
    require_valid(name);
    const std::string attempt = "create network namespace " + name;
    share_directory();
    const std::string path = path_of(name);
    {
        const Descriptor file(
            check_call(attempt, ::open(path.c_str(), O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0)));
    }
    const Descriptor home = open_own();
    int error = ::unshare(CLONE_NEWNET) == 0 ? 0 : errno;
    if (error == 0) {
        error = ::mount(kOwnNamespace, path.c_str(), "none", MS_BIND, nullptr) == 0 ? 0 : errno;
        go_home(home);
    }
    if (error != 0) {
        ::unlink(path.c_str());
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

std::uint64_t netns_inode(const std::string& name) {
    require_valid(name);
    struct stat facts {};
    return ::stat(path_of(name).c_str(), &facts) == 0 ? facts.st_ino : 0;
}

Enter::Enter(const std::string& name) {
    if (name.empty()) {
        return;
    }
    require_valid(name);
    const std::string attempt = "enter network namespace " + name;
    const Descriptor target(
        check_call(attempt, ::open(path_of(name).c_str(), O_RDONLY | O_CLOEXEC)));
    home_ = open_own();
    check_call(attempt, ::setns(target.get(), CLONE_NEWNET));
}

Enter::~Enter() {
    if (home_.valid()) {
        go_home(home_);
    }
}

}  // namespace nsr::netlink
