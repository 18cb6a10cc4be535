#include "core/base/utf8.hpp"

#include <doctest/doctest.h>

using namespace nsr;

TEST_CASE("what is UTF-8 stays, each other byte becomes U+FFFD") {
    constexpr const char* kNone = "\xef\xbf\xbd";
    const std::string none = kNone;
    CHECK(as_utf8("").empty());
    CHECK(as_utf8("a \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80") ==
          "a \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
    CHECK(as_utf8("a\xff"
                  "b") == "a" + none + "b");
    CHECK(as_utf8("\xc3") == none);                                   // cut short
    CHECK(as_utf8("\xc0\xaf") == none + none);                        // longer than need be
    CHECK(as_utf8("\xed\xa0\x80") == none + none + none);             // half of a pair of UTF-16
    CHECK(as_utf8("\xf4\x90\x80\x80") == none + none + none + none);  // beyond U+10FFFF
}
