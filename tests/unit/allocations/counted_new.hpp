// Counts what a program takes from the heap with new. Linking counted_new.cpp replaces the
// operators of the whole program.
#pragma once

#include <cstddef>

namespace nsr::test {

struct Allocations {
    std::size_t count = 0;
    std::size_t first_bytes = 0;  // valid iff count != 0: what the first one asked for
};

// Those between its begin and taken(). One at a time.
class AllocationCount {
  public:
    AllocationCount();
    ~AllocationCount();
    AllocationCount(const AllocationCount&) = delete;
    AllocationCount& operator=(const AllocationCount&) = delete;

    [[nodiscard]] Allocations taken() const;
};

}  // namespace nsr::test
