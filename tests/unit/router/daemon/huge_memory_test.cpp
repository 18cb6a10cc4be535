#include <doctest/doctest.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "router/daemon/huge_memory.hpp"

using nsr::router::HugeMemory;

TEST_CASE("huge memory: blocks are zeroed, lie where huge pages may back them, and stay") {
    constexpr std::size_t kBytes = std::size_t{2} << 20;
    HugeMemory memory;
    auto* first = static_cast<std::uint8_t*>(memory.block(0, 0, kBytes));
    REQUIRE(first != nullptr);
    CHECK(reinterpret_cast<std::uintptr_t>(first) % kBytes == 0);
    CHECK(first[0] == 0);
    CHECK(first[kBytes - 1] == 0);
    std::memset(first, 7, kBytes);
    auto* second = static_cast<std::uint8_t*>(memory.block(1, 0, kBytes));
    REQUIRE(second != nullptr);
    CHECK(second[0] == 0);
    CHECK(first[kBytes - 1] == 7);
}

TEST_CASE("huge memory: a loose piece is zeroed and goes with its holder") {
    HugeMemory memory;
    auto piece = memory.loose(100);
    REQUIRE(piece != nullptr);
    void* address = piece.get();
    CHECK(reinterpret_cast<std::uintptr_t>(address) % 64 == 0);
    CHECK(static_cast<const std::uint8_t*>(address)[99] == 0);
    CHECK(::msync(address, 1, MS_ASYNC) == 0);
    piece.reset();
    CHECK(::msync(address, 1, MS_ASYNC) == -1);
    CHECK(errno == ENOMEM);
}

TEST_CASE("huge memory: none is told, not thrown") {
    HugeMemory memory;
    CHECK(memory.block(0, 0, std::size_t{1} << 62) == nullptr);
    CHECK(memory.loose(std::size_t{1} << 62) == nullptr);
}
