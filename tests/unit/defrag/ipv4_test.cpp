#include <algorithm>
#include <random>
#include <set>

#include "tests/unit/defrag/fragments.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

using Pieces = std::vector<Piece>;

bool complete_after(Desk& desk, const Pieces& pieces) {
    Verdict last = Verdict::stolen();
    for (const Piece& piece : pieces) {
        last = desk.v4(piece);
    }
    return last.accepted();
}

}  // namespace

TEST_CASE("a whole packet passes untouched") {
    Desk desk;
    CHECK(desk.v4({.offset = 0, .length = 100, .more = false}).accepted());
    CHECK(desk.packet.fragments == nullptr);
    CHECK(desk.defrag.stats(Family::Ipv4).requests == 0);
}

TEST_CASE("three fragments in any order make the datagram, with the sizes they came in") {
    Pieces pieces = {{.offset = 0, .length = 160, .more = true, .ttl = 61},
                     {.offset = 160, .length = 80, .more = true, .ttl = 50},
                     {.offset = 240, .length = 33, .more = false, .ttl = 10}};
    std::vector<int> order = {0, 1, 2};
    do {
        Desk desk;
        CHECK(desk.v4(pieces[order[0]]).was_stolen());
        CHECK(desk.v4(pieces[order[1]]).was_stolen());
        REQUIRE(desk.v4(pieces[order[2]]).accepted());
        CHECK(desk.packet.size() == 20 + 273);
        CHECK(desk.holds(273));
        CHECK(desk.packet.layout.ttl == 61);  // of the fragment at offset 0
        CHECK(!desk.packet.layout.is_fragment);
        CHECK(desk.packet.layout.identification == 77);
        CHECK(wire::checksum(desk.packet.bytes().first(20)) == 0);
        REQUIRE(desk.packet.fragments != nullptr);
        CHECK(desk.packet.fragments->payload_bytes == std::vector<std::uint16_t>{160, 80, 33});
        CHECK(desk.packet.fragments->max_size == 180);
        CHECK(desk.defrag.bytes_in_use(Family::Ipv4) == 0);
        CHECK(!desk.defrag.next_deadline());
    } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("the datagram arrives where its last missing fragment arrives") {
    Desk desk;
    CHECK(desk.v4({.offset = 0, .length = 80, .more = true, .in = IfIndex{1}}).was_stolen());
    REQUIRE(desk.v4({.offset = 80, .length = 80, .in = IfIndex{2}}).accepted());
    CHECK(desk.packet.meta.in == IfIndex{2});
}

TEST_CASE("source, identification, protocol and hook separate datagrams") {
    Desk desk;
    CHECK(desk.v4({.offset = 0, .length = 80, .more = true}).was_stolen());
    CHECK(desk.v4({.offset = 80, .length = 80, .source = 3}).was_stolen());
    CHECK(desk.v4({.offset = 80, .length = 80, .id = 78}).was_stolen());
    CHECK(desk.v4({.offset = 80, .length = 80, .protocol = 6}).was_stolen());
    CHECK(desk.v4({.offset = 80, .length = 80, .output = true}).was_stolen());
    CHECK(desk.v4({.offset = 80, .length = 80}).accepted());
}

TEST_CASE("exact duplicates and contained fragments are ignored: the first data wins") {
    Desk desk;
    CHECK(desk.v4({.offset = 0, .length = 320, .more = true}).was_stolen());
    const Verdict again = desk.v4({.offset = 0, .length = 320, .more = true, .data = 9});
    CHECK(again.reason() == DropReason::FragmentDuplicate);
    const Verdict inside = desk.v4({.offset = 80, .length = 80, .more = true, .data = 9});
    CHECK(inside.reason() == DropReason::FragmentDuplicate);
    REQUIRE(desk.v4({.offset = 320, .length = 80}).accepted());
    CHECK(desk.holds(400));
    CHECK(desk.packet.fragments->payload_bytes == std::vector<std::uint16_t>{320, 80});
}

TEST_CASE("a fragment that lies in two adjoining fragments: a duplicate if they came in order") {
    const Piece both = {.offset = 0, .length = 160, .more = true};
    SUBCASE("in order they are one run") {
        Desk desk;
        complete_after(desk, {{.offset = 0, .length = 80, .more = true},
                              {.offset = 80, .length = 80, .more = true}});
        CHECK(desk.v4(both).reason() == DropReason::FragmentDuplicate);
    }
    SUBCASE("the second filled a hole before a third: two runs, an overlap") {
        Desk desk;
        complete_after(desk, {{.offset = 0, .length = 80, .more = true},
                              {.offset = 160, .length = 80, .more = true},
                              {.offset = 80, .length = 80, .more = true}});
        CHECK(desk.v4(both).reason() == DropReason::FragmentOverlap);
    }
}

TEST_CASE("any other overlap discards the datagram, and what follows begins a new one") {
    const std::vector<Pieces> overlaps = {
        {{.offset = 80, .length = 80, .more = true}, {.offset = 0, .length = 320, .more = true}},
        {{.offset = 0, .length = 160, .more = true}, {.offset = 0, .length = 168, .more = true}},
        {{.offset = 0, .length = 160, .more = true}, {.offset = 152, .length = 80, .more = true}},
        {{.offset = 160, .length = 80, .more = true}, {.offset = 88, .length = 80, .more = true}},
    };
    for (const Pieces& pieces : overlaps) {
        Desk desk;
        CHECK(desk.v4(pieces[0]).was_stolen());
        CHECK(desk.v4(pieces[1]).reason() == DropReason::FragmentOverlap);
        CHECK(desk.defrag.bytes_in_use(Family::Ipv4) == 0);
        CHECK(complete_after(
            desk, {{.offset = 0, .length = 200, .more = true}, {.offset = 200, .length = 200}}));
        CHECK(desk.holds(400));
    }
}

TEST_CASE("two ideas of the datagram's length discard it") {
    SUBCASE("a second last fragment further on") {
        Desk desk;
        CHECK(desk.v4({.offset = 320, .length = 80}).was_stolen());
        CHECK(desk.v4({.offset = 320, .length = 88}).reason() == DropReason::FragmentMalformed);
    }
    SUBCASE("the last fragment ends before data that is there") {
        Desk desk;
        CHECK(desk.v4({.offset = 320, .length = 80, .more = true}).was_stolen());
        CHECK(desk.v4({.offset = 160, .length = 80}).reason() == DropReason::FragmentMalformed);
    }
    SUBCASE("data beyond the last fragment") {
        Desk desk;
        CHECK(desk.v4({.offset = 160, .length = 80}).was_stolen());
        CHECK(desk.v4({.offset = 320, .length = 80, .more = true}).reason() ==
              DropReason::FragmentMalformed);
    }
}

TEST_CASE("the odd bytes of a fragment that is not the last are cut off") {
    Desk desk;
    CHECK(desk.v4({.offset = 0, .length = 163, .more = true}).was_stolen());
    REQUIRE(desk.v4({.offset = 160, .length = 240}).accepted());
    CHECK(desk.holds(400));
    CHECK(desk.packet.fragments->payload_bytes == std::vector<std::uint16_t>{160, 240});
    CHECK(desk.packet.fragments->max_size == 260);
}

TEST_CASE("an empty fragment discards its datagram") {
    Desk desk;
    CHECK(desk.v4({.offset = 0, .length = 80, .more = true}).was_stolen());
    CHECK(desk.v4({.offset = 80, .length = 0}).reason() == DropReason::FragmentMalformed);
    CHECK(desk.v4({.offset = 80, .length = 80}).was_stolen());
}

TEST_CASE("a datagram of 65535 bytes is the largest there is") {
    const auto last = [](std::uint32_t length) { return Piece{.offset = 65512, .length = length}; };
    for (const std::uint32_t length : {3u, 4u}) {
        Desk desk;
        CHECK(desk.v4({.offset = 0, .length = 32760, .more = true}).was_stolen());
        CHECK(desk.v4({.offset = 32760, .length = 32752, .more = true}).was_stolen());
        const Verdict verdict = desk.v4(last(length));
        if (length == 3) {
            REQUIRE(verdict.accepted());
            CHECK(desk.packet.size() == 65535);
            CHECK(desk.holds(65515));
        } else {
            CHECK(verdict.reason() == DropReason::FragmentTooLarge);
        }
        CHECK(desk.defrag.bytes_in_use(Family::Ipv4) == 0);
    }
}

TEST_CASE("congestion marks of the fragments are merged, impossible mixes dropped") {
    // RFC 3168 5.3, and the recorded kernel
    struct Mix {
        std::uint8_t first, second;
        int result;  // -1: dropped
    };
    const std::vector<Mix> mixes = {{0, 0, 0},  {1, 1, 1},  {2, 2, 2},         {3, 3, 3},
                                    {1, 2, 1},  {1, 3, 3},  {2, 3, 3},         {0, 1, -1},
                                    {0, 2, -1}, {3, 0, -1}, {0xb8, 0x20, 0xb8}};
    for (const Mix& mix : mixes) {
        CAPTURE(int{mix.first});
        CAPTURE(int{mix.second});
        Desk desk;
        CHECK(desk.v4({.offset = 0, .length = 80, .more = true, .tos = mix.first}).was_stolen());
        const Verdict verdict = desk.v4({.offset = 80, .length = 80, .tos = mix.second});
        CHECK(verdict.accepted() == (mix.result >= 0));
        if (verdict.accepted()) {
            CHECK(int{desk.packet.layout.tos} == mix.result);
        } else {
            CHECK(verdict.reason() == DropReason::FragmentEcn);
        }
    }
}

TEST_CASE("DF counts if the largest fragment had it") {
    SUBCASE("on the largest") {
        Desk desk;
        CHECK(complete_after(desk, {{.offset = 0, .length = 80, .more = true},
                                    {.offset = 80, .length = 160, .dont_fragment = true}}));
        CHECK(desk.packet.layout.dont_fragment);
        CHECK(desk.packet.fragments->dont_fragment);
    }
    SUBCASE("on a smaller one") {
        Desk desk;
        CHECK(
            complete_after(desk, {{.offset = 0, .length = 80, .more = true, .dont_fragment = true},
                                  {.offset = 80, .length = 160}}));
        CHECK(!desk.packet.layout.dont_fragment);
        CHECK(!desk.packet.fragments->dont_fragment);
    }
}

TEST_CASE("options are those of the first fragment") {
    Desk desk;
    CHECK(desk.v4({.offset = 80, .length = 80}).was_stolen());
    REQUIRE(desk.v4({.offset = 0, .length = 80, .more = true, .option_bytes = 8}).accepted());
    CHECK(desk.packet.size() == 28 + 160);
    CHECK(desk.packet.layout.l4_offset == 28);
    CHECK(desk.holds(160));
    CHECK(desk.packet.fragments->max_size == 108);
}

TEST_CASE("ipfrag_max_dist: too many other fragments of the source in between") {
    defrag::Settings settings;
    settings.ipfrag_max_dist = 2;
    Desk desk(settings);
    CHECK(desk.v4({.offset = 0, .length = 80, .more = true, .id = 1}).was_stolen());
    CHECK(desk.v4({.offset = 0, .length = 80, .more = true, .id = 2}).was_stolen());
    SUBCASE("one in between is near enough") {
        CHECK(desk.v4({.offset = 80, .length = 80, .id = 1}).accepted());
    }
    SUBCASE("two are too many: the datagram begins again with this fragment") {
        CHECK(desk.v4({.offset = 0, .length = 80, .more = true, .id = 3}).was_stolen());
        CHECK(desk.v4({.offset = 80, .length = 80, .id = 1}).was_stolen());
        CHECK(desk.v4({.offset = 0, .length = 80, .more = true, .id = 1}).accepted());
    }
    SUBCASE("other sources do not count") {
        CHECK(
            desk.v4({.offset = 0, .length = 80, .more = true, .id = 3, .source = 3}).was_stolen());
        CHECK(
            desk.v4({.offset = 0, .length = 80, .more = true, .id = 4, .source = 3}).was_stolen());
        CHECK(desk.v4({.offset = 80, .length = 80, .id = 1}).accepted());
    }
}

TEST_CASE("an incomplete datagram dies after ipfrag_time, however late its fragments come") {
    Desk desk;
    CHECK(desk.v4({.offset = 0, .length = 80, .more = true, .in = IfIndex{1}}).was_stolen());
    const Instant deadline = desk.now + 30s;
    desk.after(20s);
    CHECK(desk.v4({.offset = 160, .length = 80, .in = IfIndex{2}}).was_stolen());
    CHECK(desk.defrag.next_deadline() == deadline);
    CHECK_FALSE(desk.defrag.expire_one(deadline - 1ns));
    const auto lost = desk.defrag.expire_one(deadline);
    REQUIRE(lost);
    CHECK(lost->fragments == 2);
    REQUIRE(!lost->first.empty());
    const auto sent = ipv4_bytes({.offset = 0, .length = 80, .more = true});
    CHECK(std::ranges::equal(lost->first.bytes(), sent));
    CHECK(lost->first.layout.source == IpAddress::v4(10, 0, 0, 2));
    CHECK(lost->first.meta.in == IfIndex{2});
    CHECK(desk.defrag.stats(Family::Ipv4).timeouts == 1);
    CHECK(desk.defrag.bytes_in_use(Family::Ipv4) == 0);
}

TEST_CASE("without its first fragment a lost datagram has nothing to quote") {
    Desk desk;
    CHECK(desk.v4({.offset = 80, .length = 80}).was_stolen());
    const auto lost = desk.defrag.expire_one(desk.now + 30s);
    REQUIRE(lost);
    CHECK(lost->first.empty());
}

TEST_CASE("memory: over ipfrag_high_thresh nothing more is kept, and time gives it back") {
    defrag::Settings settings;
    settings.ipfrag_high_thresh = 20000;
    settings.ipfrag_max_dist = 0;
    Desk desk(settings);
    std::uint32_t id = 0;
    Verdict verdict = Verdict::stolen();
    while (verdict.was_stolen()) {
        REQUIRE(id < 100);
        verdict = desk.v4({.offset = 0, .length = 800, .more = true, .id = ++id});
    }
    CHECK(verdict.reason() == DropReason::FragmentMemory);
    CHECK(desk.defrag.bytes_in_use(Family::Ipv4) < 20000 + 3000);
    CHECK(desk.defrag.bytes_in_use(Family::Ipv6) == 0);
    CHECK(desk.v6({.offset = 0, .length = 800, .more = true}).was_stolen());
    for (std::uint32_t lost = 1; lost < id; ++lost) {
        CHECK(desk.defrag.expire_one(desk.now + 30s));
    }
    CHECK_FALSE(desk.defrag.expire_one(desk.now + 30s));
    CHECK(desk.defrag.bytes_in_use(Family::Ipv4) == 0);
    CHECK(desk.v4({.offset = 0, .length = 800, .more = true}).was_stolen());
    desk.defrag.clear();
    CHECK(desk.defrag.bytes_in_use(Family::Ipv4) == 0);
    CHECK(desk.defrag.bytes_in_use(Family::Ipv6) == 0);
    CHECK(!desk.defrag.next_deadline());
}

TEST_CASE("thousands of tiny fragments in random order, with duplicates, give the datagram back") {
    std::mt19937 random(7);
    std::vector<Piece> pieces;
    for (std::uint32_t offset = 0; offset < 60000; offset += 8) {
        pieces.push_back({.offset = offset, .length = 8, .more = offset + 8 < 60000});
    }
    for (int i = 0; i < 500; ++i) {
        pieces.push_back(pieces[random() % 7000]);
    }
    std::shuffle(pieces.begin(), pieces.end(), random);
    defrag::Settings settings;
    settings.ipfrag_max_dist = 0;
    Desk desk(settings);
    std::set<std::uint32_t> came;
    for (const Piece& piece : pieces) {
        const bool fresh = came.insert(piece.offset).second;
        const Verdict verdict = desk.v4(piece);
        if (came.size() == 7500) {
            REQUIRE(verdict.accepted());
            break;
        }
        REQUIRE(verdict.was_stolen() == fresh);
    }
    CHECK(desk.packet.size() == 60020);
    CHECK(desk.holds(60000));
    CHECK(desk.packet.fragments->payload_bytes.size() == 7500);
}
