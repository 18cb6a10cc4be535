#include <algorithm>

#include "tests/unit/defrag/fragments.hpp"

using namespace nsr;
using namespace nsr::test;

TEST_CASE("IPv6 fragments make a datagram without fragment header") {
    Desk desk;
    CHECK(desk.v6({.offset = 400, .length = 33}).was_stolen());
    REQUIRE(desk.v6({.offset = 0, .length = 400, .more = true, .ttl = 61}).accepted());
    CHECK(desk.packet.size() == 40 + 433);
    CHECK(desk.packet.layout.protocol == 17);
    CHECK(desk.packet.layout.l4_offset == 40);
    CHECK(desk.packet.layout.ttl == 61);
    CHECK(!desk.packet.layout.is_fragment);
    CHECK(desk.holds(433));
    REQUIRE(desk.packet.fragments != nullptr);
    CHECK(desk.packet.fragments->payload_bytes == std::vector<std::uint16_t>{400, 33});
    CHECK(desk.packet.fragments->max_size == 448);
    CHECK(!desk.packet.fragments->dont_fragment);
}

TEST_CASE(
    "the unfragmentable part stays, and its last next header names what the fragment header "
    "named") {
    Desk desk;
    CHECK(desk.v6({.offset = 0, .length = 80, .more = true, .option_bytes = 8}).was_stolen());
    REQUIRE(desk.v6({.offset = 80, .length = 80, .option_bytes = 8}).accepted());
    CHECK(desk.packet.size() == 48 + 160);
    CHECK(int{desk.packet.data()[6]} == 60);
    CHECK(int{desk.packet.data()[40]} == 17);
    CHECK(desk.packet.layout.l4_offset == 48);
    CHECK(desk.holds(160));
}

TEST_CASE("an atomic fragment loses its header") {
    Desk desk;
    REQUIRE(desk.v6({.offset = 0, .length = 400}).accepted());
    CHECK(desk.packet.size() == 440);
    CHECK(desk.packet.fragments->payload_bytes == std::vector<std::uint16_t>{400});
    CHECK(desk.packet.fragments->max_size == 448);
    CHECK(desk.holds(400));
}

// Routers read such options when a packet comes in, which is before it is put together: what an
// atomic fragment hides, no matter how broken, goes on. kernel: ipv6_rcv, then nf_ct_frag6_gather
TEST_CASE("hop-by-hop options inside of a fragment come to stand in front, unread") {
    Desk desk;
    REQUIRE(desk.v6({.offset = 0, .length = 8, .protocol = 0}).accepted());
    CHECK(desk.packet.size() == 48);
    CHECK(int{desk.packet.data()[6]} == 0);
    CHECK(desk.holds(8));
    const std::vector<std::uint8_t> bytes(desk.packet.bytes().begin(), desk.packet.bytes().end());
    Packet alone(desk.packet.pool(), bytes);
    CHECK(dissect(alone).reason() == DropReason::BadExtensionHeader);
}

TEST_CASE("the identification has 32 bits and the protocol is no part of the key") {
    Desk desk;
    CHECK(desk.v6({.offset = 0, .length = 80, .more = true, .id = 0x10001}).was_stolen());
    CHECK(desk.v6({.offset = 80, .length = 80, .id = 1}).was_stolen());
    CHECK(desk.v6({.offset = 80, .length = 80, .id = 0x10001, .protocol = 6}).accepted());
}

TEST_CASE("only to link-local addresses does the interface count") {
    Desk desk;
    CHECK(desk.v6({.offset = 0, .length = 80, .more = true, .in = IfIndex{1}}).was_stolen());
    CHECK(desk.v6({.offset = 80, .length = 80, .in = IfIndex{2}}).accepted());
    CHECK(desk.v6({.offset = 0, .length = 80, .more = true, .in = IfIndex{1}, .destination = 2})
              .was_stolen());
    CHECK(desk.v6({.offset = 80, .length = 80, .in = IfIndex{2}, .destination = 2}).was_stolen());
    CHECK(desk.v6({.offset = 80, .length = 80, .in = IfIndex{1}, .destination = 2}).accepted());
}

TEST_CASE(
    "an odd length of a fragment that is not the last ends the datagram; the fragment goes on "
    "alone") {
    Desk desk;
    CHECK(desk.v6({.offset = 160, .length = 80}).was_stolen());
    REQUIRE(desk.v6({.offset = 0, .length = 163, .more = true}).accepted());
    CHECK(desk.packet.layout.is_fragment);
    CHECK(desk.packet.size() == 48 + 163);
    CHECK(desk.packet.fragments == nullptr);
    CHECK(desk.defrag.bytes_in_use(Family::Ipv6) == 0);
}

TEST_CASE("a first fragment without its transport header is not collected") {
    Desk desk;
    REQUIRE(desk.v6({.offset = 0, .length = 4}).accepted());
    CHECK(desk.packet.layout.is_fragment);
    CHECK(desk.v6({.offset = 0, .length = 16, .more = true, .protocol = 6}).accepted());
    CHECK(desk.v6({.offset = 0, .length = 24, .more = true, .protocol = 6}).was_stolen());
}

TEST_CASE("beyond 64k, a contradicting length and nothing at all cost only the fragment") {
    Desk desk;
    CHECK(desk.v6({.offset = 0, .length = 80, .more = true}).was_stolen());
    CHECK(desk.v6({.offset = 65528, .length = 100}).reason() == DropReason::FragmentTooLarge);
    CHECK(desk.v6({.offset = 160, .length = 0, .more = false}).reason() ==
          DropReason::FragmentMalformed);
    CHECK(desk.v6({.offset = 160, .length = 80, .more = true}).reason() ==
          DropReason::FragmentMalformed);
    CHECK(desk.v6({.offset = 80, .length = 88}).reason() == DropReason::FragmentMalformed);
    CHECK(desk.v6({.offset = 80, .length = 80}).accepted());
}

TEST_CASE("overlaps discard the datagram, duplicates do not (RFC 5722)") {
    Desk desk;
    CHECK(desk.v6({.offset = 0, .length = 160, .more = true}).was_stolen());
    CHECK(desk.v6({.offset = 152, .length = 160, .more = true}).reason() ==
          DropReason::FragmentOverlap);
    CHECK(desk.defrag.bytes_in_use(Family::Ipv6) == 0);
    CHECK(desk.v6({.offset = 0, .length = 160, .more = true}).was_stolen());
    CHECK(desk.v6({.offset = 0, .length = 160, .more = true}).reason() ==
          DropReason::FragmentDuplicate);
    CHECK(desk.v6({.offset = 160, .length = 80}).accepted());
}

TEST_CASE("the timer is nf_conntrack_frag6_timeout; what is quoted still has its fragment header") {
    defrag::Settings settings;
    settings.frag6_timeout = 1;
    Desk desk(settings);
    CHECK(desk.v6({.offset = 0, .length = 80, .more = true}).was_stolen());
    CHECK(desk.defrag.next_deadline() == desk.now + 1s);
    const auto lost = desk.defrag.expire_one(desk.now + 1s);
    REQUIRE(lost);
    CHECK(std::ranges::equal(lost->first.bytes(),
                             ipv6_bytes({.offset = 0, .length = 80, .more = true})));
    CHECK(desk.defrag.stats(Family::Ipv6).timeouts == 1);
}

TEST_CASE("congestion experienced on one fragment is experienced by the datagram") {
    Desk desk;
    CHECK(desk.v6({.offset = 0, .length = 80, .more = true, .tos = 2}).was_stolen());
    REQUIRE(desk.v6({.offset = 80, .length = 80, .tos = 3}).accepted());
    CHECK(int{desk.packet.layout.tos} == 3);
    CHECK(desk.v6({.offset = 0, .length = 80, .more = true, .tos = 0}).was_stolen());
    CHECK(desk.v6({.offset = 80, .length = 80, .tos = 3}).reason() == DropReason::FragmentEcn);
}

TEST_CASE("a host that tracks nothing has limits of its own") {
    defrag::Settings settings;
    settings.ip6frag_time = 5;
    settings.frag6_timeout = 9;
    settings.frag6_high_thresh = 0;
    Desk desk(settings);
    CHECK(desk.v6({.offset = 0, .length = 80, .more = true}).reason() ==
          DropReason::FragmentMemory);
    desk.who = defrag::Reassembler::Host;
    CHECK(desk.v6({.offset = 0, .length = 80, .more = true}).was_stolen());
    CHECK(desk.defrag.next_deadline() == desk.now + 5s);
}
