#include "core/procfs/tree.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "core/procfs/files.hpp"
#include "core/procfs/sysctl.hpp"

namespace nsr::procfs {

namespace {

constexpr std::string_view kSysctlRoot = "/proc/sys/";
constexpr std::string_view kNetRoot = "/proc/net";
constexpr std::string_view kOwnNetRoot = "/proc/self/net";

// A text that is there already.
class TextCursor : public Cursor {
  public:
    explicit TextCursor(std::string text) : text_(std::move(text)) {}

    bool read(std::string& out, std::size_t bytes, Instant /*now*/) override {
        const std::size_t count = std::min(bytes, text_.size() - at_);
        out.append(text_, at_, count);
        at_ += count;
        return at_ < text_.size();
    }

  private:
    std::string text_;
    std::size_t at_ = 0;
};

// A small file, read when the first slice is asked for: that is when the time is known.
class LazyCursor : public Cursor {
  public:
    LazyCursor(const Context& context, const File& file) : context_(context), file_(file) {}

    bool read(std::string& out, std::size_t bytes, Instant now) override {
        if (!text_) {
            text_.emplace(file_.read(context_, now));
        }
        return text_->read(out, bytes, now);
    }

  private:
    const Context& context_;
    const File& file_;
    std::optional<TextCursor> text_;
};

std::string cleaned(std::string_view path);
bool is_under(std::string_view path, std::string_view directory);

}  // namespace

struct Tree::Impl {
    explicit Impl(Context from) : context(std::move(from)) {}

    // A path is a row of one of the two tables, a directory of such, or nothing.
    struct Found {
        const File* file = nullptr;
        std::optional<Sysctl> sysctl;
        bool directory = false;
        bool through_file = false;  // a file's name with something behind it

        [[nodiscard]] bool is_file() const { return file != nullptr || sysctl; }
    };
    [[nodiscard]] Found find(std::string_view path) const;
    [[nodiscard]] std::vector<std::string> paths() const;
    [[nodiscard]] bool exists(const File& file) const;
    [[nodiscard]] static unsigned mode(const Found& found);
    [[nodiscard]] static Failure not_a_file(const Found& found, std::string_view path);

    Context context;
};

Tree::Tree(Context context) : impl_(std::make_unique<Impl>(std::move(context))) {
}

Tree::~Tree() = default;

Context& Tree::context() {
    return impl_->context;
}

std::optional<Tree::Entry> Tree::stat(std::string_view path) const {
    const Impl::Found found = impl_->find(path);
    if (!found.is_file() && !found.directory) {
        return std::nullopt;
    }
    const std::string clean = cleaned(path);
    return Entry{.name = clean.substr(clean.rfind('/') + 1),
                 .directory = found.directory,
                 .mode = impl_->mode(found)};
}

Sharded Tree::sharded(std::string_view path) const {
    const File* file = impl_->find(path).file;
    return file == nullptr ? Sharded::Sum : file->sharded;
}

Result<std::vector<Tree::Entry>, Failure> Tree::list(std::string_view directory) const {
    const Impl::Found found = impl_->find(directory);
    if (!found.directory) {
        return Failure{found.is_file() ? Errno::NotDirectory : Errno::NoEntry, {}};
    }
    std::string prefix = cleaned(directory);
    prefix += prefix == "/" ? "" : "/";
    std::set<std::string> names;
    for (const std::string& path : impl_->paths()) {
        if (path.starts_with(prefix)) {
            names.insert(path.substr(prefix.size(), path.find('/', prefix.size()) - prefix.size()));
        }
    }
    std::vector<Entry> entries;
    entries.reserve(names.size());
    for (const std::string& name : names) {
        entries.push_back(*stat(prefix + name));
    }
    return entries;
}

Result<std::unique_ptr<Cursor>, Failure> Tree::open(std::string_view path) const {
    const Impl::Found found = impl_->find(path);
    if (found.sysctl) {
        return std::unique_ptr<Cursor>(
            std::make_unique<TextCursor>(read_sysctl(*found.sysctl, impl_->context) + "\n"));
    }
    if (found.file == nullptr) {
        return Impl::not_a_file(found, path);
    }
    if (found.file->open != nullptr) {
        return found.file->open(impl_->context);
    }
    return std::unique_ptr<Cursor>(std::make_unique<LazyCursor>(impl_->context, *found.file));
}

Result<std::string, Failure> Tree::read(std::string_view path, Instant now) const {
    auto cursor = open(path);
    if (!cursor) {
        return cursor.error();
    }
    constexpr std::size_t kSliceBytes = 65536;
    std::string out;
    while ((*cursor)->read(out, kSliceBytes, now)) {
    }
    return out;
}

Result<Done, Failure> Tree::write(std::string_view path, std::string_view text, Instant now) {
    const Impl::Found found = impl_->find(path);
    if (!found.is_file()) {
        return Impl::not_a_file(found, path);
    }
    if (found.sysctl) {
        return write_sysctl(*found.sysctl, impl_->context, text);
    }
    if (found.file->write == nullptr) {
        return Failure{Errno::Access, "read-only"};
    }
    return found.file->write(impl_->context, text, now);
}

Tree::Impl::Found Tree::Impl::find(std::string_view path) const {
    const std::string clean = cleaned(path);
    Found found;
    std::string_view in_net = clean;
    std::string aliased;
    if (is_under(clean, kOwnNetRoot)) {
        aliased = std::string(kNetRoot).append(clean, kOwnNetRoot.size());
        in_net = aliased;
    }
    for (const File& file : files()) {
        if (file.path == in_net && exists(file)) {
            found.file = &file;
            return found;
        }
    }
    if (clean.starts_with(kSysctlRoot)) {
        found.sysctl = find_sysctl(clean.substr(kSysctlRoot.size()), context);
        if (found.sysctl) {
            return found;
        }
    }
    for (const std::string& known : paths()) {
        found.directory = found.directory || is_under(known, clean);
        found.through_file = found.through_file || is_under(clean, known);
    }
    return found;
}

std::vector<std::string> Tree::Impl::paths() const {
    std::vector<std::string> all;
    for (const File& file : files()) {
        if (!exists(file)) {
            continue;
        }
        all.emplace_back(file.path);
        if (is_under(file.path, kNetRoot)) {
            all.push_back(std::string(kOwnNetRoot).append(file.path.substr(kNetRoot.size())));
        }
    }
    for (const std::string& path : sysctl_paths(context)) {
        all.push_back(std::string(kSysctlRoot) + path);
    }
    return all;
}

bool Tree::Impl::exists(const File& file) const {
    return !file.needs_tracking || context.router.tracking_active();
}

unsigned Tree::Impl::mode(const Found& found) {
    if (found.directory) {
        return 0555;
    }
    if (found.file != nullptr) {
        return found.file->mode;
    }
    return found.sysctl->row->writable() ? 0644 : 0444;
}

Failure Tree::Impl::not_a_file(const Found& found, std::string_view path) {
    if (found.directory || found.through_file) {
        return {found.directory ? Errno::IsDirectory : Errno::NotDirectory, {}};
    }
    const std::string clean = cleaned(path);
    const bool sysctl = clean.starts_with(kSysctlRoot);
    return {Errno::NoEntry,
            std::string(sysctl ? why_no_sysctl(clean.substr(kSysctlRoot.size())) : "")};
}

namespace {

// Without doubled and final slashes, and always from the root.
std::string cleaned(std::string_view path) {
    std::string out = "/";
    for (const char letter : path) {
        if (letter != '/' || out.back() != '/') {
            out += letter;
        }
    }
    if (out.size() > 1 && out.back() == '/') {
        out.pop_back();
    }
    return out;
}

bool is_under(std::string_view path, std::string_view directory) {
    if (directory == "/") {
        return path.size() > 1;
    }
    return path.size() >= directory.size() && path.starts_with(directory) &&
           (path.size() == directory.size() || path[directory.size()] == '/');
}

}  // namespace

}  // namespace nsr::procfs
