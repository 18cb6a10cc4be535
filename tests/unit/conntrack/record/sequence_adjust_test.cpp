// How far sequence numbers move, before and behind the payloads that changed.
#include "core/conntrack/record/sequence_adjust.hpp"

#include <doctest/doctest.h>

using nsr::conntrack::SequenceAdjust;

TEST_CASE("sequence adjust: nothing moves until a payload changed; then what is behind it does") {
    SequenceAdjust adjust;
    CHECK_FALSE(adjust.moves());
    CHECK(adjust.offset_at(1000) == 0);
    adjust.change(1000, 3);
    CHECK(adjust.moves());
    CHECK(adjust.offset_at(999) == 0);
    CHECK(adjust.offset_at(1000) == 0);  // the segment itself begins where it began
    CHECK(adjust.offset_at(1001) == 3);
    CHECK(adjust.offset_acknowledged(1000) == 0);
    CHECK(adjust.offset_acknowledged(1023) == 3);
}

TEST_CASE("sequence adjust: amounts add up, longer and shorter") {
    SequenceAdjust adjust;
    adjust.change(1000, 3);
    adjust.change(2000, -5);
    CHECK(adjust.offset_at(1500) == 3);  // between the two
    CHECK(adjust.offset_at(2001) == static_cast<std::uint32_t>(-2));
    // An acknowledgment is of the numbers that the receiver has seen.
    CHECK(adjust.offset_acknowledged(1503) == 3);
    CHECK(adjust.offset_acknowledged(2010) == static_cast<std::uint32_t>(-2));
    adjust.change(3000, 2);
    CHECK(adjust.offset_at(3001) == 0);
    CHECK(adjust.moves());
}

TEST_CASE("sequence adjust: a segment that comes again changes nothing again") {
    SequenceAdjust adjust;
    adjust.change(1000, 3);
    adjust.change(1000, 3);
    CHECK(adjust.offset_at(1001) == 3);
    adjust.change(500, 7);  // an older one
    CHECK(adjust.offset_at(1001) == 3);
}

TEST_CASE("sequence adjust: numbers wrap around") {
    SequenceAdjust adjust;
    adjust.change(0xfffffff0, 4);
    CHECK(adjust.offset_at(0xffffffef) == 0);
    CHECK(adjust.offset_at(5) == 4);
    CHECK(adjust.offset_acknowledged(9) == 4);
    adjust.change(16, 4);
    CHECK(adjust.offset_at(0xffffffff) == 4);
    CHECK(adjust.offset_at(17) == 8);
    CHECK(adjust.offset_acknowledged(25) == 8);
}
