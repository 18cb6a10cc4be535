// Memory: where the arenas of the connection table get their blocks, and what makes the table
// outlive a process: a Memory may be a mapped file. The index lies in memory that comes and goes,
// and is made anew from the records.
#pragma once

#include <cstddef>
#include <memory>

namespace nsr::conntrack {

// Blocks are zeroed, aligned to 4096 and stay where they are until the Memory is destroyed.
class Memory {
  public:
    virtual ~Memory() = default;
    // The block number `index` (dense from 0) of arena `arena`; the same bytes as last time if the
    // memory is a file that held it. Null: there is no more.
    virtual void* block(unsigned arena, std::size_t index, std::size_t bytes) = 0;
    // A zeroed piece, aligned to 64, as long as somebody holds it; its get() is null: there is no
    // more.
    virtual std::shared_ptr<void> loose(std::size_t bytes);
    // Whether loose() of so many bytes would be quick. Where it would not be, asking begins to
    // change that.
    virtual bool ready(std::size_t /*bytes*/) { return true; }
    // How many blocks of an arena hold what an earlier Table left there.
    [[nodiscard]] virtual std::size_t blocks_held(unsigned /*arena*/) const { return 0; }
};

// Plain anonymous memory of the process.
std::unique_ptr<Memory> anonymous_memory();

}  // namespace nsr::conntrack
