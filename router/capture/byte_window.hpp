// ByteWindow: a stream of bytes through a window, which moves over it in large pieces. Whoever
// looks sees the bytes where they were read to; nothing is copied but what lies across the end of a
// piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <istream>
#include <memory>
#include <span>

namespace nsr::router {

class ByteWindow {
  public:
    static constexpr std::size_t kPieceBytes = 64 << 10;

    explicit ByteWindow(std::istream& in) : in_(in) {}

    // The next `count` bytes, or all that are left. Valid until it is called again.
    std::span<const std::uint8_t> peek(std::size_t count) {
        if (end_ - begin_ < count) {
            fill(count);
        }
        return {bytes_.get() + begin_, end_ - begin_ < count ? end_ - begin_ : count};
    }
    // Precondition: peek() has shown them.
    void advance(std::size_t count) { begin_ += count; }
    // False: there are not so many.
    bool skip(std::uint64_t count);

  private:
    void fill(std::size_t count);

    std::istream& in_;
    std::unique_ptr<std::uint8_t[]> bytes_;
    std::size_t room_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace nsr::router
