#include "router/topology/run_files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "netlink/error.hpp"
#include "router/base/run_directory.hpp"

namespace nsr::router {
namespace {

using netlink::check_call;
using netlink::Descriptor;

constexpr std::size_t kMostBytes = std::size_t{1} << 20;
constexpr const char* kDraft = ".new";

void make_directory(const std::string& path) {
    if (::mkdir(path.c_str(), 0755) != 0 && errno != EEXIST) {
        throw SystemError("create " + path, errno);
    }
    struct stat facts {};
    check_call("look at " + path, ::lstat(path.c_str(), &facts));
    if (!S_ISDIR(facts.st_mode)) {
        throw SystemError("use " + path, ENOTDIR, "it is not a directory");
    }
    if (facts.st_uid != ::geteuid() && facts.st_uid != 0) {
        throw SystemError("use " + path, EPERM,
                          "it belongs to user " + std::to_string(facts.st_uid));
    }
    if ((facts.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        throw SystemError("use " + path, EPERM, "others may write to it");
    }
}

}  // namespace

void require_run_directory() {
    make_directory(kRunDirectory);
    make_directory(std::string(kRunDirectory) + "/netns");
}

std::string read_run_file(const std::string& path) {
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat facts {};
    if (!file.valid() || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) {
        return {};
    }
    std::string text(kMostBytes, '\0');
    const ssize_t count = ::pread(file.get(), text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return text;
}

void replace_run_file(const std::string& path, const std::string& text) {
    if (text.empty()) {
        ::unlink(path.c_str());
        return;
    }
    const std::string draft = path + kDraft;
    ::unlink(draft.c_str());  // of one that was killed
    {
        const Descriptor file(check_call(
            "write " + draft,
            ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)));
        const ssize_t written = ::write(file.get(), text.data(), text.size());
        if (written != static_cast<ssize_t>(text.size())) {
            int error = ENOSPC;
            if (written < 0) {
                error = errno;
            }
            ::unlink(draft.c_str());
            throw SystemError("write " + draft, error);
        }
    }
    check_call("replace " + path, ::rename(draft.c_str(), path.c_str()));
}

void remove_drafts(const std::string& name) {
    ::unlink((run_file(name, ".state") + kDraft).c_str());
    std::error_code none;
    for (const auto& entry :
         std::filesystem::directory_iterator(std::string(kRunDirectory) + "/netns", none)) {
        if (entry.path().extension() == kDraft) {
            ::unlink(entry.path().c_str());
        }
    }
}

RunLock::RunLock() {
    require_run_directory();
    const std::string path = std::string(kRunDirectory) + "/lock";
    file_ = Descriptor(check_call(
        "open " + path, ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)));
    int result = 0;
    do {
        result = ::flock(file_.get(), LOCK_EX);
    } while (result != 0 && errno == EINTR);
    check_call("lock " + path, result);
}

bool is_running(const std::string& name) {
    const Descriptor file(
        ::open(run_file(name, ".pid").c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    return file.valid() && ::flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

std::vector<std::string> instances_with_state() {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(kRunDirectory, none)) {
        if (entry.path().extension() == ".state") {
            names.push_back(entry.path().stem().string());
        }
    }
    return names;
}

}  // namespace nsr::router
