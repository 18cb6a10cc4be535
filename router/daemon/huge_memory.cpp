#include "router/daemon/huge_memory.hpp"

#include <sys/mman.h>

#include <memory>

namespace nsr::router {
namespace {

constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

}  // namespace

HugeMemory::~HugeMemory() {
    for (const auto& [address, bytes] : mappings_) {
        ::munmap(address, bytes);
    }
}

void* HugeMemory::block(unsigned /*arena*/, std::size_t /*index*/, std::size_t bytes) {
    std::size_t room = bytes + kHugePageBytes;
    void* mapping =
        ::mmap(nullptr, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) {
        return nullptr;
    }
    mappings_.emplace_back(mapping, room);
    void* block = mapping;
    std::align(kHugePageBytes, bytes, block, room);
    ::madvise(block, bytes, MADV_HUGEPAGE);  // a wish: without it all works, slower
    return block;
}

}  // namespace nsr::router
