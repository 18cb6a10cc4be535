#include "core/nat/port_allocator.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <vector>

using namespace nsr;
using conntrack::Tuple;
using nat::Manip;
using nat::PortSequence;
using nat::PortSpan;
using nat::Range;

namespace {

Tuple tuple(std::uint8_t protocol, Port source, Port destination = 80) {
    return {IpAddress::v4(10, 0, 0, 2), IpAddress::v4(192, 0, 2, 1), source, destination, protocol};
}

Range ports(Port min, Port max) {
    Range range;
    range.map_ports = true;
    range.min_port = min;
    range.max_port = max;
    return range;
}

std::vector<std::uint16_t> all_of(PortSequence sequence) {
    std::vector<std::uint16_t> result;
    while (const auto port = sequence.next()) {
        result.push_back(*port);
    }
    return result;
}

}  // namespace

TEST_CASE("without a range a source port stays in its class") {
    const auto check = [](Port port, std::uint32_t min, std::uint32_t max) {
        const auto span = nat::span_for(tuple(proto::kUdp, port), Manip::Source, {}, false);
        REQUIRE(span);
        CHECK(span->min == min);
        CHECK(span->min + span->size - 1 == max);
    };
    check(0, 1, 511);
    check(511, 1, 511);
    check(512, 600, 1023);
    check(1023, 600, 1023);
    check(1024, 1024, 65535);
    check(65535, 1024, 65535);
}

TEST_CASE("without a range a destination port cannot change, an ICMP id can be any") {
    CHECK_FALSE(nat::span_for(tuple(proto::kTcp, 5000), Manip::Destination, {}, false));
    const auto ids = nat::span_for(tuple(proto::kIcmp, 7), Manip::Destination, {}, false);
    REQUIRE(ids);
    CHECK(ids->min == 0);
    CHECK(ids->size == 65536);
}

TEST_CASE("protocols without ports have nothing to change; GRE only if PPTP expects it") {
    CHECK_FALSE(nat::span_for(tuple(253, 0), Manip::Source, ports(1, 9), false));
    CHECK_FALSE(nat::span_for(tuple(proto::kGre, 0), Manip::Source, {}, false));
    CHECK(nat::span_for(tuple(proto::kGre, 0), Manip::Source, {}, true)->size == 65535);
}

TEST_CASE("a range given the wrong way round is the same range") {
    const auto span = nat::span_for(tuple(proto::kUdp, 7), Manip::Source, ports(20, 10), false);
    CHECK(span->min == 10);
    CHECK(span->size == 11);
}

TEST_CASE("a small range is tried once, completely, from a random port on") {
    RandomSource random(3);
    std::set<std::uint16_t> first;
    for (int i = 0; i < 50; ++i) {
        auto tried = all_of(nat::sequence_for({5000, 5}, tuple(proto::kUdp, 7), Manip::Source,
                                              ports(5000, 5004), random));
        first.insert(tried.front());
        std::rotate(tried.begin(), std::min_element(tried.begin(), tried.end()), tried.end());
        CHECK(tried == std::vector<std::uint16_t>{5000, 5001, 5002, 5003, 5004});
    }
    CHECK(first.size() == 5);
}

TEST_CASE("a large range is given up after 128 + 64 + 32 + 16 + 8 tries") {
    RandomSource random(3);
    PortSequence sequence({1024, 64512}, 0, random);
    for (const std::uint32_t round : {128u, 64u, 32u, 16u, 8u}) {
        for (std::uint32_t left = round; left > 0; --left) {
            const auto port = sequence.next();
            REQUIRE(port);
            CHECK(*port >= 1024);
            CHECK(sequence.attempts_left() == left);
        }
    }
    CHECK_FALSE(sequence.next());
    CHECK_FALSE(sequence.next());
}

TEST_CASE("a destination range begins at its first port, unless it is to be random") {
    RandomSource random(3);
    const Tuple wanted = tuple(proto::kTcp, 5000, 8080);
    Range range = ports(7000, 7099);
    CHECK(nat::sequence_for({7000, 100}, wanted, Manip::Destination, range, random).next() == 7000);
    range.random = true;
    std::set<std::uint16_t> first;
    for (int i = 0; i < 20; ++i) {
        first.insert(
            *nat::sequence_for({7000, 100}, wanted, Manip::Destination, range, random).next());
    }
    CHECK(first.size() > 5);
}

TEST_CASE("a base port shifts the range") {
    RandomSource random(3);
    Range range = ports(18000, 18010);
    range.offset_ports = true;
    range.base_port = 8000;
    const Tuple wanted = tuple(proto::kTcp, 5000, 8003);
    CHECK(nat::sequence_for({18000, 11}, wanted, Manip::Destination, range, random).next() ==
          18003);
}

TEST_CASE("is the key in range: ports by end, ids always the id, no ports always") {
    CHECK(nat::key_in_range(tuple(proto::kTcp, 15, 99), Manip::Source, ports(10, 20)));
    CHECK_FALSE(nat::key_in_range(tuple(proto::kTcp, 15, 99), Manip::Destination, ports(10, 20)));
    CHECK(nat::key_in_range(tuple(proto::kIcmp, 15, 0x0800), Manip::Destination, ports(10, 20)));
    CHECK(nat::key_in_range(tuple(253, 0, 0), Manip::Source, ports(10, 20)));
}
