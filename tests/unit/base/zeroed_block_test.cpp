#include "core/base/zeroed_block.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <utility>

using namespace nsr;

namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

}  // namespace

TEST_CASE("a block is zeros to its end, and lies where a page begins") {
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{5000}, kMebibyte, 5 * kMebibyte}) {
        const ZeroedBlock block(bytes);
        auto* const data = static_cast<std::uint8_t*>(block.data());
        REQUIRE(data != nullptr);
        CHECK_EQ(reinterpret_cast<std::uintptr_t>(data) % 4096, 0);
        CHECK_EQ(data[0], 0);
        CHECK_EQ(data[bytes - 1], 0);
        data[bytes - 1] = 1;  // it is there to be written to
    }
}

TEST_CASE("a block of 2 MiB can have a huge page") {
    const ZeroedBlock block(2 * kMebibyte);
    CHECK_EQ(reinterpret_cast<std::uintptr_t>(block.data()) % (2 * kMebibyte), 0);
}

TEST_CASE("a block that moves stays where it is") {
    ZeroedBlock block(kMebibyte);
    void* const data = block.data();
    const ZeroedBlock moved = std::move(block);
    CHECK_EQ(moved.data(), data);
}

TEST_CASE("a block that nobody asked for has nothing") {
    CHECK_EQ(ZeroedBlock().data(), nullptr);
}
