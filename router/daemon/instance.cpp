#include "router/daemon/instance.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "netlink/error.hpp"
#include "router/base/run_directory.hpp"
#include "router/topology/journal.hpp"
#include "router/topology/run_files.hpp"
#include "router/topology/setup.hpp"

namespace nsr::router {
namespace {

using netlink::check_call;

// An instance that was just leaving may have removed the file between our open and our lock.
bool is_file_at(int fd, const std::string& path) {
    struct stat mine {};
    struct stat there {};
    return ::fstat(fd, &mine) == 0 && ::stat(path.c_str(), &there) == 0 &&
           mine.st_ino == there.st_ino && mine.st_dev == there.st_dev;
}

std::string pid_in(int fd) {
    std::array<char, 32> text{};
    const ssize_t count = ::pread(fd, text.data(), text.size(), 0);
    if (count <= 0) {
        return "?";
    }
    std::string pid(text.data(), static_cast<std::size_t>(count));
    pid.erase(pid.find_last_not_of("\n ") + 1);
    return pid;
}

bool exists(const std::string& path) {
    return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace

// Under the common lock, which keeps those away who only look whether we run.
InstanceLock::InstanceLock(const std::string& name) : path_(run_file(name, ".pid")) {
    const RunLock lock;
    do {
        file_ = netlink::Descriptor(check_call(
            "open " + path_,
            ::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600)));
        if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0) {
            const int error = errno;
            if (error != EWOULDBLOCK) {
                throw SystemError("lock " + path_, error);
            }
            throw SystemError("start router '" + name + "'", EBUSY,
                              "it is running already (process " + pid_in(file_.get()) + ")");
        }
    } while (!is_file_at(file_.get(), path_));
    remove_drafts(name);
    const std::string pid = std::to_string(::getpid()) + "\n";
    check_call("write " + path_, ::fchmod(file_.get(), 0600));
    check_call("write " + path_, ::ftruncate(file_.get(), 0));
    check_call("write " + path_,
               static_cast<int>(::pwrite(file_.get(), pid.data(), pid.size(), 0)));
}

InstanceLock::~InstanceLock() {
    ::unlink(path_.c_str());
}

std::string clean_up_after(const std::string& name) {
    const std::string pid_file = run_file(name, ".pid");
    const std::string socket = socket_path(name);
    const bool has_pid = exists(pid_file);
    if (!has_pid && !exists(socket) && !exists(run_file(name, ".state"))) {
        return {};
    }
    const InstanceLock lock(name);
    std::string said;
    Journal journal(name);
    Setup setup(name, journal);
    setup.take_back_all();
    for (const auto* lines : {&setup.removed(), &setup.stays()}) {
        for (const std::string& line : *lines) {
            said += line + "\n";
        }
    }
    if (exists(socket) && ::unlink(socket.c_str()) == 0) {
        said += socket + "\n";
    }
    if (has_pid) {
        said += pid_file + "\n";
    }
    return said;
}

}  // namespace nsr::router
