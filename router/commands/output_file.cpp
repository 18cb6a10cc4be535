#include "router/commands/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

namespace nsr::router {
namespace {

using netlink::Descriptor;

bool is_mount_point(int file) {
    struct statx facts {};
    return ::statx(file, "", AT_EMPTY_PATH, 0, &facts) == 0 &&
           (facts.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

bool make_like(int draft, const struct stat& original) {
    return ::fchown(draft, original.st_uid, original.st_gid) == 0 &&
           ::fchmod(draft, original.st_mode & 07777) == 0;
}

}  // namespace

OutputFile::OutputFile(const std::string& path) {
    constexpr mode_t kForAll = 0666;  // but for what the umask takes
    file_ = Descriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, kForAll));
    struct stat facts {};
    if (!file_.valid() || ::fstat(file_.get(), &facts) != 0) {
        error_ = errno;
        return;
    }
    if (!S_ISREG(facts.st_mode) || facts.st_size == 0) {
        return;
    }
    std::error_code unknown;
    place_ = std::filesystem::canonical(path, unknown).string();
    if (!unknown && !is_mount_point(file_.get())) {
        open_draft();
    }
    if (draft_.empty() && error_ == 0 && ::ftruncate(file_.get(), 0) != 0) {
        error_ = errno;
    }
}

void OutputFile::open_draft() {
    std::string name = place_ + ".XXXXXX";
    Descriptor draft(::mkostemp(name.data(), O_CLOEXEC));
    if (!draft.valid()) {
        error_ = errno == ENOSPC || errno == EDQUOT ? errno : 0;
        return;
    }
    struct stat original {};
    if (::fstat(file_.get(), &original) != 0 || !make_like(draft.get(), original)) {
        ::unlink(name.c_str());
        return;
    }
    file_ = std::move(draft);
    draft_ = std::move(name);
}

int OutputFile::keep() {
    // Some file systems tell only now that there is no room.
    if (file_.valid() && ::close(file_.release()) != 0 && errno != EINTR) {
        return errno;
    }
    if (!draft_.empty() && ::rename(draft_.c_str(), place_.c_str()) != 0) {
        return errno;
    }
    draft_.clear();
    return 0;
}

void OutputFile::drop_draft() {
    if (!draft_.empty()) {
        ::unlink(draft_.c_str());
    }
}

}  // namespace nsr::router
