#include "core/nat/address_choice.hpp"

#include <doctest/doctest.h>

#include <set>

#include "tests/unit/nat/nat_fixture.hpp"

using namespace nsr;
using conntrack::Tuple;
using nat::Manip;
using nat::Range;
using test::address;
using test::to;

namespace {

Tuple udp(const char* source, const char* destination, Port port = 3000) {
    return {address(source), address(destination), port, 53, proto::kUdp};
}

std::string chosen_source(Tuple tuple, const Range& range) {
    nat::choose_address(tuple, Manip::Source, range, 0);
    return to_string(tuple.source);
}

std::string chosen_destination(Tuple tuple, const Range& range) {
    nat::choose_address(tuple, Manip::Destination, range, 0);
    return to_string(tuple.destination);
}

}  // namespace

// The choices of Linux 6.18 for -j SNAT --to-source 100.64.9.16-100.64.9.31
TEST_CASE("a source pool is chosen from as the kernel does") {
    const Range pool = to("100.64.9.16", "100.64.9.31");
    const auto chosen = [&](const char* source) {
        return chosen_source(udp(source, "198.51.100.27"), pool);
    };
    CHECK(chosen("10.126.188.10") == "100.64.9.22");
    CHECK(chosen("10.126.188.17") == "100.64.9.30");
    CHECK(chosen("10.126.188.24") == "100.64.9.28");
    CHECK(chosen("10.126.188.31") == "100.64.9.24");
    CHECK(chosen("10.126.188.45") == "100.64.9.16");
    CHECK(chosen("10.126.188.52") == "100.64.9.23");
}

// The choices of Linux 6.18 for -j DNAT --to-destination 172.28.82.200-172.28.82.207
TEST_CASE("a destination pool is chosen from as the kernel does") {
    const Range pool = to("172.28.82.200", "172.28.82.207");
    const auto chosen = [&](const char* source) {
        return chosen_destination(udp(source, "203.0.113.47"), pool);
    };
    CHECK(chosen("203.0.113.201") == "172.28.82.205");
    CHECK(chosen("203.0.113.202") == "172.28.82.207");
    CHECK(chosen("203.0.113.203") == "172.28.82.206");
    CHECK(chosen("203.0.113.205") == "172.28.82.200");
    CHECK(chosen("203.0.113.207") == "172.28.82.203");
    CHECK(chosen("203.0.113.212") == "172.28.82.204");
}

TEST_CASE("persistent: the destination does not matter") {
    Range pool = to("100.64.9.16", "100.64.9.31");
    std::set<std::string> spread;
    std::set<std::string> persistent;
    for (std::uint32_t i = 1; i < 30; ++i) {
        Tuple tuple = udp("10.0.0.2", "198.51.100.1");
        tuple.destination = IpAddress::v4(198, 51, 100, static_cast<std::uint8_t>(i));
        pool.persistent = false;
        spread.insert(chosen_source(tuple, pool));
        pool.persistent = true;
        persistent.insert(chosen_source(tuple, pool));
    }
    CHECK(spread.size() > 5);
    CHECK(persistent.size() == 1);
}

TEST_CASE("an IPv6 pool is never left, whatever its borders") {
    const Range pool = to("2001:db8::ffff:fff0", "2001:db8:0:1::3");
    std::set<std::uint32_t> third_words;
    for (std::uint32_t i = 0; i < 500; ++i) {
        Tuple tuple = udp("fd00::1", "2001:db8:9::1");
        tuple.source.words[3] = i;
        nat::choose_address(tuple, Manip::Source, pool, 0);
        CHECK(tuple.source.words[0] == 0x20010db8);
        CHECK(tuple.source.words[1] <= 1);
        third_words.insert(tuple.source.words[1]);
    }
    CHECK(third_words.size() == 2);
}

TEST_CASE("without addresses the address stays; a single one needs no choice") {
    Range none;
    CHECK(chosen_source(udp("10.0.0.2", "198.51.100.1"), none) == "10.0.0.2");
    CHECK(chosen_source(udp("10.0.0.2", "198.51.100.1"), to("203.0.113.9")) == "203.0.113.9");
}

TEST_CASE("a source is in range only with address and port") {
    const Range range = to("192.0.2.10", "192.0.2.20", 4000, 4999);
    CHECK(nat::source_in_range(udp("192.0.2.10", "10.0.0.1", 4000), range));
    CHECK(nat::source_in_range(udp("192.0.2.20", "10.0.0.1", 4999), range));
    CHECK_FALSE(nat::source_in_range(udp("192.0.2.21", "10.0.0.1", 4000), range));
    CHECK_FALSE(nat::source_in_range(udp("192.0.2.9", "10.0.0.1", 4000), range));
    CHECK_FALSE(nat::source_in_range(udp("192.0.2.10", "10.0.0.1", 3999), range));
    CHECK(nat::source_in_range(udp("10.0.0.2", "10.0.0.1", 1), Range{}));
}

// The choices of Linux 6.18 for -j SNAT --to-source 2001:db8:9::20-2001:db8:9::25
TEST_CASE("an IPv6 source pool is chosen from as the kernel does") {
    const Range pool = to("2001:db8:9::20", "2001:db8:9::25");
    const auto chosen = [&](const char* source, const char* destination) {
        return chosen_source(udp(source, destination), pool);
    };
    CHECK(chosen("fd00:1::2", "2001:db8:9::7") == "2001:db8:9::21");
    CHECK(chosen("fd00:1::2", "2001:db8:9::8") == "2001:db8:9::24");
    CHECK(chosen("fd00:1::3", "2001:db8:9::7") == "2001:db8:9::25");
    CHECK(chosen("fd00:1::3", "2001:db8:9::8") == "2001:db8:9::25");
    CHECK(chosen("2001:db8:9::7", "2001:db8:9::20") == "2001:db8:9::21");
    CHECK(chosen("2001:db8:9::8", "2001:db8:9::20") == "2001:db8:9::24");
}
