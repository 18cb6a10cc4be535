// Arena: records of one fixed size in blocks obtained from a Memory, named by dense 32-bit numbers.
//
// Growing adds a block and moves nothing. Released records form a list through a field of their
// own, last in, first out, so that a busy table reuses warm lines. Only the blocks persist: after
// adopt() everything up to the end of the old blocks counts as handed out, and the caller says with
// rebuild() which numbers really are.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/conntrack/record/connection.hpp"
#include "core/conntrack/record/help.hpp"
#include "core/conntrack/table/memory.hpp"

namespace nsr::conntrack {

// Where a released record keeps the number of the next one. Never the commit word.
inline std::uint32_t& free_link(Connection& record) {
    return record.wheel_next;
}
inline std::uint32_t& free_link(V6Addresses& record) {
    return record.words[0][0];
}
inline std::uint32_t& free_link(Extra& record) {
    return record.labels[0];
}
inline std::uint32_t& free_link(Help& record) {
    return record.newest;
}

template <class T>
class Arena {
  public:
    static constexpr std::size_t kBlockBytes = std::size_t{2} << 20;
    static constexpr std::uint32_t kPerBlock = kBlockBytes / sizeof(T);
    static constexpr std::uint32_t kMaxRecords = 0x7fff0000;  // numbers have a free top bit
    static_assert(std::has_single_bit(kPerBlock));

    // Numbers start at `first`. `memory` must outlive the arena.
    Arena(Memory& memory, unsigned arena, std::uint32_t first)
        : memory_(memory), arena_(arena), first_(first), end_(first) {}

    T& operator[](std::uint32_t number) { return blocks_[number / kPerBlock][number % kPerBlock]; }
    const T& operator[](std::uint32_t number) const {
        return blocks_[number / kPerBlock][number % kPerBlock];
    }

    // A number whose record holds anything; nothing if memory is out.
    std::optional<std::uint32_t> allocate() {
        if (free_ != kNone) {
            const std::uint32_t number = free_;
            free_ = free_link((*this)[number]);
            return number;
        }
        if (end_ >= kMaxRecords || (end_ / kPerBlock >= blocks_.size() && !add_block())) {
            return std::nullopt;
        }
        return end_++;
    }
    void release(std::uint32_t number) {
        free_link((*this)[number]) = free_;
        free_ = number;
    }

    // Numbers in [begin(), end()) have been handed out at some time.
    [[nodiscard]] std::uint32_t begin() const { return first_; }
    [[nodiscard]] std::uint32_t end() const { return end_; }
    [[nodiscard]] bool holds(std::uint32_t number) const {
        return number >= first_ && number < end_;
    }
    [[nodiscard]] std::size_t bytes() const { return std::size_t{end_ - first_} * sizeof(T); }

    // Take in what `memory` already holds.
    void adopt() {
        const std::size_t most = kMaxRecords / kPerBlock;
        const std::size_t count = std::min(memory_.blocks_held(arena_), most);
        while (blocks_.size() < count && add_block()) {
        }
        end_ = std::max(first_, static_cast<std::uint32_t>(blocks_.size() * kPerBlock));
    }
    // Only the numbers marked in `live` (indexed by number) are in use.
    void rebuild(const std::vector<bool>& live) {
        free_ = kNone;
        while (end_ > first_ && !live[end_ - 1]) {
            --end_;
        }
        for (std::uint32_t number = end_; number-- > first_;) {
            if (!live[number]) {
                release(number);
            }
        }
    }

  private:
    static constexpr std::uint32_t kNone = 0xffffffff;

    bool add_block() {
        void* block = memory_.block(arena_, blocks_.size(), kBlockBytes);
        if (block != nullptr) {
            blocks_.push_back(static_cast<T*>(block));
        }
        return block != nullptr;
    }

    Memory& memory_;
    unsigned arena_;
    std::uint32_t first_;
    std::uint32_t end_;
    std::uint32_t free_ = kNone;
    std::vector<T*> blocks_;
};

}  // namespace nsr::conntrack
