#include "router/daemon/huge_memory.hpp"

#include <sys/mman.h>

#include <utility>

namespace nsr::router {
namespace {

constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

}  // namespace

void* HugeMemory::block(unsigned /*arena*/, std::size_t /*index*/, std::size_t bytes) {
    auto piece = loose(bytes);
    void* block = piece.get();
    if (block != nullptr) {
        blocks_.push_back(std::move(piece));
    }
    return block;
}

std::shared_ptr<void> HugeMemory::loose(std::size_t bytes) {
    const std::size_t whole = bytes + kHugePageBytes;
    void* mapping =
        ::mmap(nullptr, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) {
        return nullptr;
    }
    const std::shared_ptr<void> owner(mapping, [whole](void* mapped) { ::munmap(mapped, whole); });
    std::size_t room = whole;
    void* piece = mapping;
    std::align(kHugePageBytes, bytes, piece, room);
    ::madvise(piece, bytes, MADV_HUGEPAGE);  // a wish: without it all works, slower
    return {owner, piece};
}

}  // namespace nsr::router
