// ZeroedBlock: a big, zeroed, aligned piece of memory that is touched only where it is used.
//
// calloc() hands out large blocks as untouched pages, so a block costs nothing until it fills;
// blocks of 2 MiB and more are aligned to 2 MiB, where the kernel can back them with huge pages.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

namespace nsr {

class ZeroedBlock {
  public:
    ZeroedBlock() = default;
    // data() is null if memory is out.
    explicit ZeroedBlock(std::size_t bytes);

    [[nodiscard]] void* data() const { return data_; }

  private:
    struct Free {
        void operator()(void* block) const { std::free(block); }
    };
    std::unique_ptr<void, Free> block_;
    void* data_ = nullptr;
};

}  // namespace nsr
