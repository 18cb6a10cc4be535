#include "core/wire/tcp_options.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace nsr;
using namespace nsr::wire;

namespace {

// "kind@offset+length" of each.
std::string walk(const std::vector<std::uint8_t>& options, TcpOptionReading reading) {
    std::string text;
    TcpOptionWalk walk(options, reading);
    while (const auto option = walk.next()) {
        text += std::to_string(option->kind) + "@" + std::to_string(option->offset) + "+" +
                std::to_string(option->length) + " ";
    }
    return text;
}

}  // namespace

TEST_CASE("well-formed options are the same to both readings, up to the end") {
    const std::vector<std::uint8_t> options = {2, 4, 5, 0xb4, 1, 3, 3, 7, 0, 8};
    CHECK(walk(options, TcpOptionReading::Strict) == "2@0+4 1@4+1 3@5+3 ");
    CHECK(walk(options, TcpOptionReading::Tolerant) == "2@0+4 1@4+1 3@5+3 0@8+1 8@9+1 ");
    CHECK(walk({}, TcpOptionReading::Strict).empty());
}

TEST_CASE("lengths that cannot be end the strict reading, and the tolerant one goes on") {
    CHECK(walk({1, 8, 0, 1}, TcpOptionReading::Strict) == "1@0+1 ");
    CHECK(walk({1, 8, 0, 1}, TcpOptionReading::Tolerant) == "1@0+1 8@1+1 0@2+1 1@3+1 ");
    CHECK(walk({8, 1, 1}, TcpOptionReading::Strict).empty());
    CHECK(walk({8, 1, 1}, TcpOptionReading::Tolerant) == "8@0+1 1@1+1 1@2+1 ");
    CHECK(walk({8, 9, 1}, TcpOptionReading::Strict).empty());
    CHECK(walk({8, 9, 1}, TcpOptionReading::Tolerant) == "8@0+9 ");
    CHECK(walk({8}, TcpOptionReading::Strict).empty());
    CHECK(walk({8}, TcpOptionReading::Tolerant) == "8@0+1 ");
}
