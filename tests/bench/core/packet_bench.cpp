// What a packet's own bytes cost: reading its headers, and changing them with their checksums.
#include <benchmark/benchmark.h>

#include <cstdint>

#include "core/packet/dissect.hpp"
#include "core/packet/rewrite.hpp"
#include "tests/bench/core/sizes.hpp"
#include "tests/support/packet_builder.hpp"

namespace {

using namespace nsr;
using test::PacketBuilder;

PacketBuilder udp4() {
    return test::udp("10.0.0.2:4000", "198.51.100.7:443").payload(64);
}
PacketBuilder tcp4() {
    return test::tcp("10.0.0.2:4000", "198.51.100.7:443").ack(1).payload(64);
}
PacketBuilder udp6() {
    return test::udp("[2001:db8::2]:4000", "[2001:db8:1::7]:443").payload(64);
}

void packet_dissect(benchmark::State& state, PacketBuilder (*build)()) {
    BufferPool pool;
    Packet packet = build().packet(pool);
    for (auto _ : state) {
        benchmark::DoNotOptimize(dissect(packet));
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations());
}
NSR_BENCHMARK("packet_dissect/udp4", packet_dissect, udp4);
NSR_BENCHMARK("packet_dissect/tcp4", packet_dissect, tcp4);
NSR_BENCHMARK("packet_dissect/udp6", packet_dissect, udp6);

// To one value and back.
void set_source(Packet& packet, bool back) {
    rewrite::set_source(packet, IpAddress::v4(back ? 0x0a000002 : 0xc0000201));
}
void set_source6(Packet& packet, bool back) {
    IpAddress address = packet.layout.source;
    address.words[3] = back ? 2 : 0xc0000201;
    rewrite::set_source(packet, address);
}
void set_source_and_port(Packet& packet, bool back) {
    set_source(packet, back);
    rewrite::set_source_port(packet, back ? 4000 : 50000);
}
void set_ttl(Packet& packet, bool back) {
    rewrite::set_ttl(packet, back ? 64 : 63);
}

void packet_rewrite(benchmark::State& state, PacketBuilder (*build)(),
                    void (*change)(Packet&, bool)) {
    BufferPool pool;
    Packet packet = build().packet(pool);
    static_cast<void>(dissect(packet));
    bool back = false;
    for (auto _ : state) {
        change(packet, back);
        back = !back;
        benchmark::ClobberMemory();
    }
    state.SetItemsProcessed(state.iterations());
}
NSR_BENCHMARK("packet_rewrite/udp4/ttl", packet_rewrite, udp4, set_ttl);
NSR_BENCHMARK("packet_rewrite/udp4/source", packet_rewrite, udp4, set_source);
NSR_BENCHMARK("packet_rewrite/tcp4/source", packet_rewrite, tcp4, set_source);
NSR_BENCHMARK("packet_rewrite/tcp4/source_and_port", packet_rewrite, tcp4, set_source_and_port);
NSR_BENCHMARK("packet_rewrite/udp6/source", packet_rewrite, udp6, set_source6);

}  // namespace
