// WriteBehind: a file that is written in large pieces, behind whoever fills them.
//
// Theory of operation
//   There are two pieces. One fills; the other one, once full, is written by a thread. Whoever has
//   filled the next one waits until that is done, and learns there whether the file took it: so a
//   file that has no room fails behind the same byte in every run. The thread is made for the first
//   full piece; what is less, or is left at a flush, is written by whoever flushes.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <streambuf>
#include <thread>

namespace nsr::router {

class WriteBehind : public std::streambuf {
  public:
    static constexpr std::size_t kPieceBytes = 256 << 10;

    // `file` is a descriptor, which must outlive it.
    explicit WriteBehind(int file) : file_(file) {}
    // Flushes.
    ~WriteBehind() override;
    WriteBehind(const WriteBehind&) = delete;
    WriteBehind& operator=(const WriteBehind&) = delete;

    // The errno of the writing that failed; 0: none has. Behind a flush it is that of all.
    [[nodiscard]] int error();

  protected:
    int_type overflow(int_type next) override;
    int sync() override;

  private:
    using Piece = std::unique_ptr<char[]>;

    [[nodiscard]] std::size_t filled() const { return static_cast<std::size_t>(pptr() - pbase()); }
    bool await_writing();
    void hand_over();
    void begin_piece();
    void work();

    int file_;
    Piece filling_;
    Piece writing_;  // the thread's while writing_bytes_ is not 0
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t writing_bytes_ = 0;
    int error_ = 0;
    bool ends_ = false;
    std::thread thread_;
};

}  // namespace nsr::router
