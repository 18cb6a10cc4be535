#include "core/packet/buffer_pool.hpp"

#include <algorithm>
#include <memory>

namespace nsr {

std::uint8_t* BufferPool::make() {
    return std::make_unique_for_overwrite<std::uint8_t[]>(kBlockBytes).release();
}

void BufferPool::destroy(std::uint8_t* block) {
    const std::unique_ptr<std::uint8_t[]> owned(block);
}

BufferPool::~BufferPool() {
    std::for_each(idle_.begin(), idle_.end(), destroy);
}

}  // namespace nsr
