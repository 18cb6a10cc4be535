#include "router/daemon/instance.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string_view>

#include "netlink/error.hpp"
#include "netlink/link.hpp"
#include "netlink/netns.hpp"
#include "router/base/run_directory.hpp"

namespace nsr::router {
namespace {

using netlink::check_call;

void make_directory() {
    if (::mkdir(kRunDirectory, 0755) != 0 && errno != EEXIST) {
        throw SystemError(std::string("create ") + kRunDirectory, errno);
    }
}

// An instance that was just leaving may have removed the file between our open and our lock.
bool is_file_at(int fd, const std::string& path) {
    struct stat mine {};
    struct stat there {};
    return ::fstat(fd, &mine) == 0 && ::stat(path.c_str(), &there) == 0 &&
           mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

std::string pid_in(int fd) {
    char text[32] = {};
    const ssize_t count = ::pread(fd, text, sizeof text - 1, 0);
    std::string pid(text, count > 0 ? static_cast<std::size_t>(count) : 0);
    pid.erase(pid.find_last_not_of("\n ") + 1);
    return pid.empty() ? "?" : pid;
}

// But for those that every namespace has from its beginning, some of them only if the kernel's
// module for tunnels is loaded. Each with a blank before it.
std::string strangers_in(const std::string& netns, const std::vector<std::string>& ours) {
    constexpr std::string_view kBuiltIn[] = {"lo",      "tunl0", "gre0",    "gretap0", "erspan0",
                                             "ip_vti0", "sit0",  "ip6tnl0", "ip6gre0", "ip6_vti0"};
    const netlink::Enter enter(netns);
    std::string names;
    for (const std::string& name : netlink::link_names(netlink::Socket())) {
        const auto is_in = [&](const auto& known) {
            return std::find(std::begin(known), std::end(known), name) != std::end(known);
        };
        if (!is_in(kBuiltIn) && !is_in(ours)) {
            names += " " + name;
        }
    }
    return names;
}

}  // namespace

InstanceLock::InstanceLock(const std::string& name) : path_(run_file(name, ".pid")) {
    make_directory();
    do {
        file_ = netlink::Descriptor(
            check_call("open " + path_, ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)));
        if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
            const int error = errno;
            if (error != EWOULDBLOCK) {
                throw SystemError("lock " + path_, error);
            }
            throw SystemError("start router '" + name + "'", EBUSY,
                              "it is running already (process " + pid_in(file_.get()) + ")");
        }
    } while (!is_file_at(file_.get(), path_));
    const std::string pid = std::to_string(::getpid()) + "\n";
    check_call("write " + path_, ::ftruncate(file_.get(), 0));
    check_call("write " + path_,
               static_cast<int>(::pwrite(file_.get(), pid.data(), pid.size(), 0)));
}

InstanceLock::~InstanceLock() {
    ::unlink(path_.c_str());
}

std::string clean_up_after(const std::string& name) {
    const bool has_socket = ::access(socket_path(name).c_str(), F_OK) == 0;
    const bool has_lock = ::access(run_file(name, ".pid").c_str(), F_OK) == 0;
    if (!has_socket && !has_lock) {
        return {};
    }
    const InstanceLock lock(name);
    std::string removed;
    OwnedNamespaces owned(name);
    for (const std::string& netns : owned.all()) {
        owned.remove(netns);
        removed += "namespace " + netns + "\n";
    }
    ::unlink(run_file(name, ".state").c_str());
    if (has_socket && ::unlink(socket_path(name).c_str()) == 0) {
        removed += socket_path(name) + "\n";
    }
    return removed + (has_lock ? run_file(name, ".pid") + "\n" : "");
}

OwnedNamespaces::OwnedNamespaces(const std::string& name) : path_(run_file(name, ".state")) {
    std::ifstream file(path_);
    std::string word;
    std::string netns;
    std::uint64_t inode = 0;
    while (file >> word >> netns >> inode) {
        if (word != "netns" || !netlink::valid_netns_name(netns)) {
            continue;
        }
        const std::uint64_t current = netlink::netns_inode(netns);
        if (current != 0 && (inode == 0 || inode == current)) {
            inodes_[netns] = current;
        }
    }
}

bool OwnedNamespaces::owns(const std::string& netns) const {
    return inodes_.contains(netns);
}

std::vector<std::string> OwnedNamespaces::all() const {
    std::vector<std::string> names;
    for (const auto& [netns, inode] : inodes_) {
        names.push_back(netns);
    }
    return names;
}

void OwnedNamespaces::create(const std::string& netns) {
    inodes_[netns] = 0;
    write();
    try {
        netlink::create_netns(netns);
    } catch (...) {
        inodes_.erase(netns);
        write();
        throw;
    }
    inodes_[netns] = netlink::netns_inode(netns);
    write();
}

void OwnedNamespaces::remove(const std::string& netns, const std::vector<std::string>& ours) {
    const auto mine = inodes_.find(netns);
    if (mine == inodes_.end()) {
        return;
    }
    // Somebody may have removed it and made another of that name.
    if (netlink::netns_inode(netns) == mine->second) {
        const std::string strangers = strangers_in(netns, ours);
        if (strangers.empty()) {
            netlink::remove_netns(netns);
        } else {
            std::fprintf(stderr, "nsrouter: namespace %s stays: it holds devices of others:%s\n",
                         netns.c_str(), strangers.c_str());
        }
    }
    inodes_.erase(mine);
    write();
}

void OwnedNamespaces::write() const {
    if (inodes_.empty()) {
        ::unlink(path_.c_str());
        return;
    }
    const std::string draft = path_ + ".new";
    {
        std::ofstream file(draft, std::ios::trunc);
        for (const auto& [netns, inode] : inodes_) {
            file << "netns " << netns << ' ' << inode << '\n';
        }
        if (!file.flush()) {
            throw SystemError("write " + draft, errno);
        }
    }
    check_call("replace " + path_, ::rename(draft.c_str(), path_.c_str()));
}

}  // namespace nsr::router
