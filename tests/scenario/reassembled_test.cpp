// In which pieces a reassembled datagram leaves, once somebody had to have its header in one of
// them.
#include <doctest/doctest.h>

#include "core/wire/bytes.hpp"
#include "tests/support/world.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

constexpr const char* kClient = "10.0.0.2:40000";
constexpr const char* kServer = "198.51.100.7:80";

PacketBuilder segment() {
    return tcp(kClient, kServer).ack(1).payload(20);
}

void send_in_pieces(World& world, const PacketBuilder& whole) {
    world.when("lan", PacketBuilder(whole).fragment(0, true, 8));
    world.when("lan", PacketBuilder(whole).fragment(8, true, 16));
    world.when("lan", PacketBuilder(whole).fragment(24, false, 16));
}

}  // namespace

TEST_CASE("reassembled: a TCP header cut short is put together, and the datagram is cut anew") {
    World w = given("");
    send_in_pieces(w, segment());
    w.expect("wan", segment().ttl(63).fragment(0, true, 16));
    w.expect("wan", segment().ttl(63).fragment(16, true, 16));
    w.expect("wan", segment().ttl(63).fragment(32, false, 8));
}

TEST_CASE("reassembled: a TCP header with options that ends with a piece keeps the others whole") {
    World w = given("*mangle\n-A FORWARD -p tcp --syn -j TCPMSS --set-mss 500\nCOMMIT\n");
    const auto syn = tcp(kClient, kServer).syn().options({1, 1, 4, 2}).payload(16);
    send_in_pieces(w, syn);
    w.expect("wan", PacketBuilder(syn).ttl(63).fragment(0, true, 16));
    w.expect("wan", PacketBuilder(syn).ttl(63).fragment(16, true, 16));
    w.expect("wan", PacketBuilder(syn).ttl(63).fragment(32, false, 8));
}

TEST_CASE("reassembled: UDP needs nothing but its header, and leaves in the pieces it came in") {
    World w = given("");
    const auto datagram = udp(kClient, kServer).payload(32);
    send_in_pieces(w, datagram);
    w.expect("wan", PacketBuilder(datagram).ttl(63).fragment(0, true, 8));
    w.expect("wan", PacketBuilder(datagram).ttl(63).fragment(8, true, 16));
    w.expect("wan", PacketBuilder(datagram).ttl(63).fragment(24, false, 16));
}

TEST_CASE("reassembled: NAT brings the header that an ICMP error quotes into the first piece") {
    World w = given("*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n");
    const auto quoted = udp("192.0.2.1:40000", "198.51.100.7:53").payload(36);
    w.when("lan", udp("10.0.0.2:40000", "198.51.100.7:53").payload(36)).forget();
    const auto error = ip(1, "198.51.100.7", "192.0.2.1").icmp(3, 3, 0).quoting(quoted, 64);
    w.when("wan", PacketBuilder(error).fragment(0, true, 24));
    w.when("wan", PacketBuilder(error).fragment(24, false, 48));
    const auto translated = ip(1, "198.51.100.7", "10.0.0.2")
                                .icmp(3, 3, 0)
                                .ttl(63)
                                .quoting(udp("10.0.0.2:40000", "198.51.100.7:53").payload(36), 64);
    w.expect("lan", PacketBuilder(translated).fragment(0, true, 48));
    w.expect("lan", PacketBuilder(translated).fragment(48, false, 24));
}
