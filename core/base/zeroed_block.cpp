#include "core/base/zeroed_block.hpp"

namespace nsr {

namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

}  // namespace

ZeroedBlock::ZeroedBlock(std::size_t bytes) {
    const std::size_t alignment = bytes >= kHugePageBytes ? kHugePageBytes : kPageBytes;
    block_.reset(std::calloc(1, bytes + alignment));
    if (block_ != nullptr) {
        std::size_t room = bytes + alignment;
        data_ = block_.get();
        std::align(alignment, bytes, data_, room);
    }
}

}  // namespace nsr
