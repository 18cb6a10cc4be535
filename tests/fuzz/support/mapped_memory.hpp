// What a mapped file of connections is: one block an arena, which outlives the table that wrote it.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <memory>

#include "core/conntrack/table/table.hpp"

namespace nsr::fuzz {

inline constexpr std::size_t kArenas = 4;
inline constexpr std::size_t kArenaBytes = std::size_t{2} << 20;

struct alignas(4096) MappedBlock {
    std::array<std::uint8_t, kArenaBytes> bytes{};
};
using MappedFile = std::array<MappedBlock, kArenas>;

class MappedMemory final : public conntrack::Memory {
  public:
    MappedMemory(MappedFile& file, bool held) : file_(file), held_(held) {}

    void* block(unsigned arena, std::size_t index, std::size_t) override {
        return index == 0 ? file_.at(arena).bytes.data() : nullptr;
    }
    [[nodiscard]] std::size_t blocks_held(unsigned) const override { return held_ ? 1 : 0; }

  private:
    MappedFile& file_;
    bool held_;
};

}  // namespace nsr::fuzz
