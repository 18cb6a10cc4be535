// Keys of enhanced GRE: whose they are, and how many there may be.
#include "core/conntrack/expect/gre_keys.hpp"

#include <doctest/doctest.h>

#include "core/wire/protocol.hpp"

using namespace nsr;
using namespace nsr::conntrack;

namespace {

Tuple gre(std::uint32_t receiver, std::uint16_t sender_key, std::uint16_t receiver_key) {
    return {IpAddress::v4(192, 0, 2, 1), IpAddress::v4(receiver), sender_key, receiver_key,
            proto::kGre};
}

}  // namespace

TEST_CASE("gre keys: the key of the sender is known from the call, until it ends") {
    GreKeys keys;
    CHECK(keys.add(ConnId{1}, Direction::Original, gre(0x0a000002, 7, 8)));
    CHECK(keys.source_key(gre(0x0a000002, 0, 8)) == 7);
    CHECK(keys.source_key(gre(0x0a000002, 0, 9)) == 0);
    CHECK_FALSE(keys.add(ConnId{1}, Direction::Original, gre(0x0a000002, 7, 9)));
    keys.remove(ConnId{1});
    CHECK(keys.empty());
}

TEST_CASE("weapon: calls without number leave so many keys as a packet may look at") {
    GreKeys keys;
    for (std::uint32_t i = 0; i < 4096; ++i) {
        REQUIRE(keys.add(ConnId{i}, Direction::Original, gre(0x0a000000 + i, 1, 2)));
    }
    CHECK_FALSE(keys.add(ConnId{4096}, Direction::Original, gre(0x0a001000, 1, 2)));
    CHECK(keys.add(ConnId{0}, Direction::Original, gre(0x0a000000, 1, 2)));
    keys.remove(ConnId{17});
    CHECK(keys.add(ConnId{4096}, Direction::Original, gre(0x0a001000, 1, 2)));
}
