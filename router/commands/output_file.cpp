#include "router/commands/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <utility>

namespace nsr::router {
namespace {

using netlink::Descriptor;
using Facts = struct stat;

constexpr mode_t kForOwner = S_IRUSR | S_IWUSR;

bool is_mount_point(int file) {
    struct statx facts {};
    return ::statx(file, "", AT_EMPTY_PATH, 0, &facts) == 0 &&
           (facts.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

bool is_same(const Facts& a, const Facts& b) {
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

std::optional<int> standard_stream(const Facts& file) {
    for (const int stream : {STDOUT_FILENO, STDERR_FILENO}) {
        Facts facts{};
        if (::fstat(stream, &facts) == 0 && is_same(facts, file)) {
            return stream;
        }
    }
    return std::nullopt;
}

bool make_like(int draft, const Facts& original) {
    return ::fchown(draft, original.st_uid, original.st_gid) == 0 &&
           ::fchmod(draft, original.st_mode & 07777) == 0;
}

std::string name_of_descriptor(int file) {
    return "/proc/self/fd/" + std::to_string(file);
}

}  // namespace

OutputFile::OutputFile(std::string path, Readers readers)
    : path_(std::move(path)), readers_(readers) {
    const bool is_new = open(O_CREAT | O_EXCL);
    Facts facts{};
    if ((!is_new && !open(O_CREAT)) || ::fstat(file_.get(), &facts) != 0) {
        error_ = errno;
        return;
    }
    if (is_new) {
        made_ = facts;
    }
    if (const auto stream = standard_stream(facts)) {
        file_ = Descriptor(::fcntl(*stream, F_DUPFD_CLOEXEC, 0));
        return;
    }
    is_regular_ = S_ISREG(facts.st_mode);
    has_contents_ = is_regular_ && facts.st_size != 0;
    if (has_contents_ && facts.st_nlink == 1 && !is_mount_point(file_.get())) {
        open_draft();
    }
}

bool OutputFile::open(int flags) {
    constexpr mode_t kForAll = 0666;  // but for what the umask takes
    const bool owner = readers_ == Readers::Owner;
    file_ =
        Descriptor(::open(path_.c_str(), O_WRONLY | O_CLOEXEC | flags | (owner ? O_NOFOLLOW : 0),
                          owner ? kForOwner : kForAll));
    return file_.valid();
}

void OutputFile::open_draft() {
    std::error_code unknown;
    const std::filesystem::path place = std::filesystem::canonical(path_, unknown);
    if (unknown) {
        return;
    }
    Descriptor draft(
        ::open(place.parent_path().c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, kForOwner));
    if (!draft.valid()) {
        error_ = errno == ENOSPC || errno == EDQUOT ? errno : 0;
        return;
    }
    Facts original{};
    const bool can_be_linked = ::access(name_of_descriptor(draft.get()).c_str(), F_OK) == 0;
    if (can_be_linked && ::fstat(file_.get(), &original) == 0 && make_like(draft.get(), original)) {
        file_ = std::move(draft);
        place_ = place.string();
    }
}

OutputFile::~OutputFile() {
    Facts facts{};
    if (made_ && ::lstat(path_.c_str(), &facts) == 0 && is_same(facts, *made_)) {
        ::unlink(path_.c_str());
    }
}

int OutputFile::begin() {
    if (is_regular_ && readers_ == Readers::Owner && ::fchmod(file_.get(), kForOwner) != 0) {
        return errno;
    }
    const bool itself = has_contents_ && place_.empty();
    return itself && ::ftruncate(file_.get(), 0) != 0 ? errno : 0;
}

// A draft is closed when it has its name: without one it would be gone.
int OutputFile::finish() {
    const bool failed = place_.empty() && ::close(file_.release()) != 0 && errno != EINTR;
    return failed ? errno : 0;
}

// A link takes no name that there is, so it gets another one first.
int OutputFile::replace() {
    made_.reset();
    if (place_.empty()) {
        return 0;
    }
    const std::string name = place_ + "." + std::to_string(::getpid());
    if (::linkat(AT_FDCWD, name_of_descriptor(file_.get()).c_str(), AT_FDCWD, name.c_str(),
                 AT_SYMLINK_FOLLOW) != 0) {
        return errno;
    }
    if (::rename(name.c_str(), place_.c_str()) == 0) {
        return 0;
    }
    const int error = errno;
    ::unlink(name.c_str());
    return error;
}

}  // namespace nsr::router
