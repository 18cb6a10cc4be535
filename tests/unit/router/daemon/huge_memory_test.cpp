#include <doctest/doctest.h>
#include <sys/mman.h>

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

#include "router/daemon/huge_memory.hpp"

using nsr::router::HugeMemory;

namespace {

constexpr std::size_t kMegabyte = std::size_t{1} << 20;

// The other thread, whose jobs run when the test says so.
struct Beside {
    explicit Beside(HugeMemory& memory) {
        memory.work_beside([this](std::function<void()> job) { jobs.push_back(std::move(job)); });
    }
    void work() {
        for (const auto& job : std::exchange(jobs, {})) {
            job();
        }
    }
    std::vector<std::function<void()>> jobs;
};

bool is_resident(const void* data, std::size_t bytes) {
    std::vector<unsigned char> pages(bytes / 4096);
    REQUIRE(::mincore(const_cast<void*>(data), bytes, pages.data()) == 0);
    return std::all_of(pages.begin(), pages.end(), [](unsigned char page) { return page & 1; });
}

bool is_mapped(void* address) {
    return ::msync(address, 1, MS_ASYNC) == 0;
}

}  // namespace

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
    CHECK(is_mapped(address));
    piece.reset();
    CHECK_FALSE(is_mapped(address));
    CHECK(errno == ENOMEM);
}

TEST_CASE("huge memory: none is told, not thrown") {
    HugeMemory memory;
    CHECK(memory.block(0, 0, std::size_t{1} << 62) == nullptr);
    CHECK(memory.loose(std::size_t{1} << 62) == nullptr);
}

TEST_CASE("huge memory: a large piece is ready when it was touched beside, and then it is taken") {
    HugeMemory memory;
    CHECK(memory.ready(8 * kMegabyte));  // nobody does it ahead
    Beside beside(memory);
    CHECK(memory.ready(kMegabyte));
    CHECK_FALSE(memory.ready(8 * kMegabyte));
    CHECK_FALSE(memory.ready(8 * kMegabyte));
    CHECK(beside.jobs.size() == 1);
    beside.work();
    CHECK(memory.ready(8 * kMegabyte - 4096));
    const auto piece = memory.loose(8 * kMegabyte - 4096);
    CHECK(is_resident(piece.get(), 8 * kMegabyte - 4096));
    CHECK(beside.jobs.empty());
    CHECK_FALSE(is_resident(memory.loose(8 * kMegabyte).get(), 8 * kMegabyte));
}

TEST_CASE("huge memory: what was touched ahead is not taken for what is much smaller, or larger") {
    HugeMemory memory;
    Beside beside(memory);
    CHECK_FALSE(memory.ready(32 * kMegabyte));
    beside.work();
    CHECK_FALSE(memory.ready(64 * kMegabyte));
    beside.work();
    CHECK(memory.ready(64 * kMegabyte));
    CHECK_FALSE(memory.ready(4 * kMegabyte));
    const auto piece = memory.loose(4 * kMegabyte);  // before it was touched
    CHECK_FALSE(is_resident(piece.get(), 4 * kMegabyte));
}

TEST_CASE("huge memory: with a block the next one is touched ahead, and it is as good as any") {
    constexpr std::size_t kBytes = 2 * kMegabyte;
    HugeMemory memory;
    Beside beside(memory);
    auto* first = static_cast<std::uint8_t*>(memory.block(0, 0, kBytes));
    CHECK_FALSE(is_resident(first, kBytes));
    beside.work();
    auto* second = static_cast<std::uint8_t*>(memory.block(1, 0, kBytes));
    CHECK(is_resident(second, kBytes));
    CHECK(std::all_of(second, second + kBytes, [](std::uint8_t byte) { return byte == 0; }));
    CHECK(memory.block(0, 1, kBytes) != nullptr);  // none was ready
    CHECK(beside.jobs.size() == 1);
}

TEST_CASE("huge memory: a large piece is given back beside") {
    HugeMemory memory;
    Beside beside(memory);
    auto piece = memory.loose(8 * kMegabyte);
    void* address = piece.get();
    piece.reset();
    CHECK(is_mapped(address));
    beside.work();
    CHECK_FALSE(is_mapped(address));
    piece = memory.loose(8 * kMegabyte);
    address = piece.get();
    memory.work_beside(nullptr);
    piece.reset();
    CHECK_FALSE(is_mapped(address));
}

TEST_CASE("huge memory: a copy of the process waits for no other thread") {
    HugeMemory memory;
    Beside beside(memory);
    const pid_t copy = ::fork();
    if (copy == 0) {
        ::_exit(memory.ready(8 * kMegabyte) && beside.jobs.empty() ? 0 : 1);
    }
    int status = -1;
    CHECK(::waitpid(copy, &status, 0) == copy);
    CHECK(status == 0);
}
