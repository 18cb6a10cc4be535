// Every form of new and delete, so that a sanitizer sees each block given back as it was taken:
// with malloc and free, which it watches.
#include "tests/unit/allocations/counted_new.hpp"

#include <cstdlib>
#include <new>

namespace nsr::test {

namespace {

bool counting = false;
Allocations allocations;

void note(std::size_t bytes) {
    if (counting && allocations.count++ == 0) {
        allocations.first_bytes = bytes;  // a breakpoint here shows who it is
    }
}

void* count(std::size_t bytes) {
    note(bytes);
    return std::malloc(bytes == 0 ? 1 : bytes);
}

void* count(std::size_t bytes, std::align_val_t alignment) {
    const auto step = static_cast<std::size_t>(alignment);
    note(bytes);
    return std::aligned_alloc(step, (bytes + step - 1) / step * step);
}

void* or_throw(void* block) {
    if (block == nullptr) {
        throw std::bad_alloc();
    }
    return block;
}

}  // namespace

AllocationCount::AllocationCount() {
    allocations = {};
    counting = true;
}

AllocationCount::~AllocationCount() {
    counting = false;
}

Allocations AllocationCount::taken() const {
    return allocations;
}

}  // namespace nsr::test

using nsr::test::count;
using nsr::test::or_throw;

void* operator new(std::size_t bytes) {
    return or_throw(count(bytes));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
    return count(bytes);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
    return or_throw(count(bytes, alignment));
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
    return count(bytes, alignment);
}
void* operator new[](std::size_t bytes) {
    return or_throw(count(bytes));
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
    return count(bytes);
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
    return or_throw(count(bytes, alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment,
                     const std::nothrow_t&) noexcept {
    return count(bytes, alignment);
}
void operator delete(void* block) noexcept {
    std::free(block);
}
void operator delete(void* block, std::size_t) noexcept {
    std::free(block);
}
void operator delete(void* block, const std::nothrow_t&) noexcept {
    std::free(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
    std::free(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
    std::free(block);
}
void operator delete(void* block, std::align_val_t, const std::nothrow_t&) noexcept {
    std::free(block);
}
void operator delete[](void* block) noexcept {
    std::free(block);
}
void operator delete[](void* block, std::size_t) noexcept {
    std::free(block);
}
void operator delete[](void* block, const std::nothrow_t&) noexcept {
    std::free(block);
}
void operator delete[](void* block, std::align_val_t) noexcept {
    std::free(block);
}
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept {
    std::free(block);
}
void operator delete[](void* block, std::align_val_t, const std::nothrow_t&) noexcept {
    std::free(block);
}
