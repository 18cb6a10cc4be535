#include "core/packet/buffer_pool.hpp"

#include <algorithm>
#include <memory>

namespace nsr {

namespace {

struct Block {
    alignas(kCacheLineBytes) std::uint8_t bytes[BufferPool::kBlockBytes];
};

}  // namespace

std::uint8_t* BufferPool::make() {
    return std::make_unique_for_overwrite<Block>().release()->bytes;
}

void BufferPool::destroy(std::uint8_t* block) {
    const std::unique_ptr<Block> owned(reinterpret_cast<Block*>(block));
}

BufferPool::~BufferPool() {
    std::for_each(idle_.begin(), idle_.end(), destroy);
}

}  // namespace nsr
