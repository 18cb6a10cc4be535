// Forwarding in steady state takes nothing from the heap: buffers, records and queues are kept.
#include <doctest/doctest.h>

#include <cstdlib>
#include <new>

#include "tests/support/world.hpp"

namespace {

bool g_counting = false;
std::size_t g_allocations = 0;

}  // namespace

// Of this whole program; counts only while asked to. Not inlined: GCC 12 would see free() meet new.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
    g_allocations += g_counting ? 1 : 0;
    if (void* memory = std::malloc(bytes)) {
        return memory;
    }
    throw std::bad_alloc();
}
[[gnu::noinline]] void* operator new(std::size_t bytes, std::align_val_t alignment) {
    g_allocations += g_counting ? 1 : 0;
    const auto line = static_cast<std::size_t>(alignment);
    if (void* memory = std::aligned_alloc(line, (bytes + line - 1) / line * line)) {
        return memory;
    }
    throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
    std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
    std::free(memory);
}

using namespace nsr;
using namespace nsr::test;

namespace {

constexpr const char* kRules =
    "*raw\n-A PREROUTING -p udp -m udp --dport 9 -j CT --notrack\nCOMMIT\n"
    "*mangle\n-A FORWARD -j MARK --set-xmark 0x1/0xffffffff\n"
    "-A FORWARD -m hashlimit --hashlimit-upto 100000/sec --hashlimit-mode"
    " srcip,dstip,srcport,dstport --hashlimit-name all\n"
    "-A FORWARD -m recent --name seen --set\n"
    "-A FORWARD -m recent --name seen --update --seconds 60 --hitcount 4 --reap\n"
    "-A FORWARD -m connlimit --connlimit-above 5\n"
    "-A FORWARD -m quota --quota 1000000\n"
    "-A FORWARD -m statistic --mode nth --every 3 --packet 0\n"
    "-A FORWARD -m limit --limit 10/sec\nCOMMIT\n"
    "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"
    "*filter\n:FORWARD DROP [0:0]\n"
    "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n"
    "-A FORWARD -i lan -m limit --limit 10/sec -j ACCEPT\n-A FORWARD -i lan -j ACCEPT\nCOMMIT\n";

// Allocations while `packet` comes in at lan so many times.
std::size_t allocations_of(World& world, const PacketBuilder& packet, int times) {
    const std::vector<std::uint8_t> bytes = packet.bytes();
    Router& router = world.router();
    router.observe(nullptr);  // the story is not told, for that takes strings
    EgressQueue out;
    std::vector<Packet> batch;
    const auto forward = [&] {
        batch.emplace_back(world.pool(), bytes);
        batch.back().meta.in = IfIndex{1};
        router.receive(batch, world.now(), out);
        batch.clear();
        out.clear();
    };
    for (int i = 0; i < 16; ++i) {
        forward();
    }
    g_allocations = 0;
    g_counting = true;
    for (int i = 0; i < times; ++i) {
        forward();
    }
    g_counting = false;
    return g_allocations;
}

}  // namespace

TEST_CASE("steady forwarding allocates nothing") {
    World w = given(kRules);
    CHECK(allocations_of(w, udp("10.0.0.2:4000", "198.51.100.7:53").data("query"), 1000) == 0);
    CHECK(allocations_of(w, tcp("10.0.0.2:4001", "198.51.100.7:80").syn().seq(7), 1000) == 0);
    CHECK(allocations_of(w, ping("10.0.0.2", "198.51.100.7"), 1000) == 0);
    CHECK(allocations_of(w, udp("10.0.0.2:4000", "198.51.100.7:9").data("untracked"), 1000) == 0);
}

TEST_CASE("what counts allocations sees them") {
    g_allocations = 0;
    g_counting = true;
    ::operator delete(::operator new(4));  // a new-expression may be left out by the compiler
    g_counting = false;
    CHECK(g_allocations == 1);
}
