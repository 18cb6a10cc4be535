#include "core/base/decimal.hpp"

#include <doctest/doctest.h>

#include <limits>
#include <string>

using namespace nsr;

namespace {

std::string written(std::uint64_t number) {
    std::array<char, kDecimalBytes> room{};
    return {room.data(), write_decimal(room.data(), number)};
}

}  // namespace

TEST_CASE("a number is written as std::to_string writes it") {
    for (std::uint64_t number = 0; number < 70000; ++number) {
        CHECK_EQ(written(number), std::to_string(number));
    }
    // Where other numbers of digits, or another way to write them, begin.
    for (const std::uint64_t edge :
         {100'000u, 1'000'000u, 2'560'000u, 10'000'000u, 1'000'000'000u, 4'294'967'295u}) {
        for (const std::uint64_t number : {edge - 1, edge, edge + 1}) {
            CHECK_EQ(written(number), std::to_string(number));
        }
    }
    CHECK_EQ(written(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
}
