#include "core/packet/packet.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>

#include "core/packet/describe.hpp"
#include "tests/unit/packet/frames.hpp"

using namespace nsr;
using namespace nsr::test_frames;

TEST_CASE("buffers go back to the pool and come out again, last in first out") {
    BufferPool pool;
    const std::uint8_t* first = nullptr;
    {
        Packet packet(pool, Frame{1, 2, 3});
        first = packet.data();
        Packet moved = std::move(packet);
        CHECK(packet.empty());
        CHECK(moved.data() == first);
    }
    Packet again(pool);
    Packet another(pool);
    CHECK(again.data() == first);
    CHECK(another.data() != first);
    CHECK(again.size() == 0);
}

TEST_CASE("moving onto a packet gives its buffer back once") {
    BufferPool pool;
    Packet a(pool, Frame{1});
    Packet b(pool, Frame{2});
    const std::uint8_t* freed = a.data();
    a = std::move(b);
    CHECK(a.bytes()[0] == 2);
    CHECK(Packet(pool).data() == freed);
    a.reset();
    a.reset();
    CHECK(a.empty());
}

TEST_CASE("a clone shares nothing") {
    BufferPool pool;
    Packet packet = packet_of(pool, ip(17, udp({1, 2, 3})));
    packet.meta.mark = 9;
    packet.fragments = std::make_unique<FragmentGeometry>();
    packet.fragments->payload_bytes = {8, 3};
    Packet copy = packet.clone();
    copy.data()[0] = 0;
    copy.fragments->payload_bytes.clear();
    CHECK(packet.data()[0] == 0x45);
    CHECK(packet.fragments->payload_bytes.size() == 2);
    CHECK(copy.meta.mark == 9);
    CHECK(copy.layout.protocol == 17);
}

TEST_CASE("what TCP carries begins at a line of the cache, as devices copy it fastest") {
    BufferPool pool;
    std::vector<Packet> packets;
    for (int i = 0; i < 3; ++i) {
        packets.emplace_back(pool);
        const auto at = reinterpret_cast<std::uintptr_t>(packets.back().writable().data());
        CHECK((at + kUsualHeaderBytes) % kCacheLineBytes == 0);
    }
}

TEST_CASE("the headroom takes what is pushed") {
    BufferPool pool;
    Packet packet(pool, Frame{1, 2, 3});
    CHECK(packet.headroom() == kHeadroomBytes);
    packet.push(10);
    CHECK(packet.headroom() == kHeadroomBytes - 10);
    CHECK(packet.size() == 13);
    packet.pull(11);
    CHECK(packet.bytes()[0] == 2);
    CHECK(Packet(pool, Frame(kMaxPacketBytes + 500)).size() <=
          BufferPool::kBlockBytes - kHeadroomBytes);
}

TEST_CASE("a packet in one line") {
    BufferPool pool;
    CHECK(describe(packet_of(pool, ip(6, tcp(0x02, {})))) ==
          "IPv4 10.0.0.2 > 198.51.100.7 ttl=64 id=1 len=40 TCP 40000>80 S seq=1000 win=65535");
    CHECK(describe(packet_of(pool, ip(6, tcp(0x18, counting(5))))) ==
          "IPv4 10.0.0.2 > 198.51.100.7 ttl=64 id=1 len=45 TCP 40000>80 P. seq=1000 ack=77 "
          "win=65535 data=5");
    CHECK(describe(packet_of(pool, ip(17, udp({}, six()), {six()}))) ==
          "IPv6 fd00::2 > 2001:db8::7 ttl=64 len=48 UDP 40000>53");
    Ip header;
    header.fragment = 0x2000 | 3;
    CHECK(describe(packet_of(pool, ip(17, Frame(8), header))) ==
          "IPv4 10.0.0.2 > 198.51.100.7 ttl=64 id=1 len=28 fragment 24+ UDP");
    const Frame inner = ip(17, udp({}));
    CHECK(describe(packet_of(pool, ip(1, Frame{3, 3, 0, 0, 0, 0, 0, 0} + inner))) ==
          "IPv4 10.0.0.2 > 198.51.100.7 ttl=64 id=1 len=56 ICMP type=3 code=3 {IPv4 10.0.0.2 > "
          "198.51.100.7 ttl=64 id=1 len=28 UDP 40000>53}");
    CHECK(describe(Packet(pool, Frame{1, 2, 3})) == "not an IP packet, 3 bytes");
    CHECK(describe(Packet()) == "no packet");
}

TEST_CASE("a hexdump has sixteen bytes a line") {
    CHECK(hexdump(Frame{0x41, 0x00, 0x7e, 0x7f}) ==
          "0000   41 00 7e 7f                                       A.~.\n");
    const std::string two = hexdump(counting(17));
    CHECK(std::count(two.begin(), two.end(), '\n') == 2);
    CHECK(hexdump({}).empty());
}

TEST_CASE("a pool gives back what a burst took, but for a few") {
    BufferPool pool;
    const std::vector<std::uint8_t> bytes(20, 7);
    {
        std::vector<Packet> burst;
        for (std::size_t i = 0; i < 2 * BufferPool::kMostIdle; ++i) {
            burst.emplace_back(pool, bytes);
        }
    }
    CHECK(pool.idle() == BufferPool::kMostIdle);
    const Packet again(pool, bytes);
    CHECK(pool.idle() == BufferPool::kMostIdle - 1);
}
