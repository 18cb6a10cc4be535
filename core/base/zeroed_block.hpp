// ZeroedBlock: a big, zeroed, aligned piece of memory that is touched only where it is used.
//
// Whole pages of the kernel's, untouched, so that a block costs nothing until it fills; blocks of
// 2 MiB and more are aligned to 2 MiB, where the kernel can back them with huge pages. A sanitizer
// does not follow them, so that making one costs nothing there, either.
#pragma once

#include <cstddef>
#include <memory>

namespace nsr {

class ZeroedBlock {
  public:
    ZeroedBlock() = default;
    // data() is null if memory is out.
    explicit ZeroedBlock(std::size_t bytes);

    [[nodiscard]] void* data() const { return block_.get(); }

  private:
    struct Unmap {
        std::size_t bytes;
        void operator()(void* block) const;
    };
    std::unique_ptr<void, Unmap> block_;
};

}  // namespace nsr
