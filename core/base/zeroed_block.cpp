#include "core/base/zeroed_block.hpp"

#include <sys/mman.h>

#include <cstdint>

namespace nsr {

namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kHugePageBytes = std::size_t{2} << 20;

constexpr std::size_t rounded_up(std::size_t bytes, std::size_t unit) {
    return (bytes + unit - 1) / unit * unit;
}

}  // namespace

// More than is needed is asked for, so that an aligned piece is in it; what is around that goes
// back.
ZeroedBlock::ZeroedBlock(std::size_t bytes) {
    const std::size_t alignment = bytes >= kHugePageBytes ? kHugePageBytes : kPageBytes;
    const std::size_t wanted = rounded_up(bytes, kPageBytes);
    const std::size_t asked = wanted + alignment - kPageBytes;
    if (asked < bytes) {
        return;
    }
    void* const mapping =
        ::mmap(nullptr, asked, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED) {
        return;
    }
    auto* const begin = static_cast<std::uint8_t*>(mapping);
    const auto address = reinterpret_cast<std::uintptr_t>(mapping);
    const std::size_t before = rounded_up(address, alignment) - address;
    const std::size_t behind = asked - before - wanted;
    if (before != 0) {
        ::munmap(begin, before);
    }
    if (behind != 0) {
        ::munmap(begin + before + wanted, behind);
    }
    block_ = {begin + before, Unmap{wanted}};
}

void ZeroedBlock::Unmap::operator()(void* block) const {
    ::munmap(block, bytes);
}

}  // namespace nsr
