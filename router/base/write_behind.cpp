#include "router/base/write_behind.hpp"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace nsr::router {
namespace {

// Gives the errno of what failed, or 0.
int write_all(int file, const char* bytes, std::size_t count) {
    while (count != 0) {
        const ssize_t written = ::write(file, bytes, count);
        if (written < 0 && errno != EINTR) {
            return errno;
        }
        if (written > 0) {
            bytes += written;
            count -= static_cast<std::size_t>(written);
        }
    }
    return 0;
}

}  // namespace

WriteBehind::~WriteBehind() {
    sync();
    if (thread_.joinable()) {
        {
            const std::lock_guard lock(mutex_);
            ends_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }
}

WriteBehind::int_type WriteBehind::overflow(int_type next) {
    if (filled() != 0) {
        if (!await_writing()) {
            return traits_type::eof();
        }
        hand_over();
    }
    begin_piece();
    if (!traits_type::eq_int_type(next, traits_type::eof())) {
        *pptr() = traits_type::to_char_type(next);
        pbump(1);
    }
    return traits_type::not_eof(next);
}

int WriteBehind::sync() {
    if (await_writing()) {
        error_ = write_all(file_, pbase(), filled());
    }
    setp(pbase(), epptr());
    return error_ == 0 ? 0 : -1;
}

int WriteBehind::error() {
    await_writing();
    return error_;
}

bool WriteBehind::await_writing() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return writing_bytes_ == 0; });
    return error_ == 0;
}

// Where there can be no thread, the piece stays here.
void WriteBehind::hand_over() {
    if (!thread_.joinable()) {
        thread_ = std::thread([this] { work(); });
    }
    {
        const std::lock_guard lock(mutex_);
        std::swap(filling_, writing_);
        writing_bytes_ = filled();
    }
    setp(nullptr, nullptr);
    changed_.notify_all();
}

void WriteBehind::begin_piece() {
    if (filling_ == nullptr) {
        filling_ = std::make_unique_for_overwrite<char[]>(kPieceBytes);
    }
    setp(filling_.get(), filling_.get() + kPieceBytes);
}

void WriteBehind::work() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return ends_ || writing_bytes_ != 0; });
        if (writing_bytes_ == 0) {
            return;
        }
        lock.unlock();
        const int error = write_all(file_, writing_.get(), writing_bytes_);
        lock.lock();
        error_ = error_ != 0 ? error_ : error;
        writing_bytes_ = 0;
        changed_.notify_all();
    }
}

}  // namespace nsr::router
