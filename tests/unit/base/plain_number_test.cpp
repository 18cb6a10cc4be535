#include "core/base/plain_number.hpp"

#include <doctest/doctest.h>

using namespace nsr;

TEST_CASE("a number is taken off the text that it begins") {
    std::string_view text = "512 KiB";
    CHECK(take_number(text) == 512);
    CHECK(text == " KiB");
    text = "0us";
    CHECK(take_number(text) == 0);
    CHECK(text == "us");
}

TEST_CASE("what is no plain number: signs, blanks, zeros in front, too many digits") {
    CHECK(plain_number("0") == 0);
    CHECK(plain_number("18446744073709551615") == ~std::uint64_t{0});
    for (const std::string_view wrong :
         {"", "-1", "+1", " 1", "00", "007", "0x10", "1 ", "1.5", "18446744073709551616"}) {
        CAPTURE(wrong);
        CHECK_FALSE(plain_number(wrong).has_value());
    }
}
