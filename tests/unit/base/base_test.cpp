#include <doctest/doctest.h>

#include <array>
#include <set>
#include <string>

#include "core/base/config_error.hpp"
#include "core/base/ct_info.hpp"
#include "core/base/drop_reason.hpp"
#include "core/base/instant.hpp"
#include "core/base/printable.hpp"
#include "core/base/random.hpp"
#include "core/base/result.hpp"
#include "core/base/siphash.hpp"
#include "core/base/verdict.hpp"

using namespace nsr;

TEST_CASE("every drop reason has a name of its own and a sentence") {
    std::set<std::string_view> names;
    for (const DropReasonRow& row : kDropReasons) {
        CAPTURE(row.name);
        CHECK(names.insert(row.name).second);
        CHECK(name_of(row.reason) == row.name);
        CHECK(explain(row.reason).size() > 15);
        for (const char c : row.name) {
            CHECK(((c >= 'a' && c <= 'z') || c == '_'));
        }
    }
    CHECK(names.size() == kDropReasonCount);
}

TEST_CASE("a verdict is one of three") {
    CHECK(Verdict::accept().accepted());
    CHECK(Verdict::stolen().was_stolen());
    CHECK_FALSE(Verdict::stolen().accepted());
    const Verdict drop = Verdict::drop(DropReason::TooBig);
    CHECK(drop.dropped());
    CHECK(drop.reason() == DropReason::TooBig);
}

TEST_CASE("a result holds a value or the reason why not") {
    Result<std::string, int> good(std::string("text"));
    Result<std::string, int> bad(7);
    CHECK(good.ok());
    CHECK(*good == "text");
    CHECK(good->size() == 4);
    CHECK_FALSE(static_cast<bool>(bad));
    CHECK(bad.error() == 7);
}

TEST_CASE("configuration errors name the place as far as it is known") {
    CHECK(to_string(ConfigError{{"rules.v4", 12, 5}, "what"}) == "rules.v4:12:5: what");
    CHECK(to_string(ConfigError{{"rules.v4", 12, 0}, "what"}) == "rules.v4:12: what");
    CHECK(to_string(ConfigError{{"rules.v4", 0, 0}, "what"}) == "rules.v4: what");
}

TEST_CASE("what a terminal would obey is shown as its code") {
    CHECK(printable("plain, \u00e9\u4e2d \\ \"x\"") == "plain, \u00e9\u4e2d \\ \"x\"");
    CHECK(printable("\x1b[31m\n\t\x7f") == "\\x1b[31m\\n\\t\\x7f");
    CHECK(printable(std::string_view("\0", 1)) == "\\x00");
    CHECK(printable("\u009b\u202e") == "\\u009b\\u202e");
    CHECK(printable("a\xff\xc0\x80\xe2\x82") == "a\\xff\\xc0\\x80\\xe2\\x82");
    CHECK(printable("\xed\xa0\x80\xf4\x90\x80\x80") == "\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80");
    CHECK(to_string(ConfigError{{"a\x1b", 1, 2}, "b\r"}) == "a\\x1b:1:2: b\\x0d");
}

TEST_CASE("a long message keeps its beginning and its end") {
    const std::string whole = "no \"" + std::string(590, 'x') + "\"; ok";
    CHECK(printable_message(whole.substr(0, 600)) == whole.substr(0, 600));
    const std::string cut = printable_message("begin " + std::string(60000, 'x') + " end");
    CHECK(cut.size() < 620);
    CHECK(cut.starts_with("begin xxx"));
    CHECK(cut.ends_with("xxx end"));
    for (std::size_t shift = 0; shift < 3; ++shift) {  // never within a character
        std::string wide(shift, 'a');
        for (int i = 0; i < 500; ++i) {
            wide += "\u4e2d";
        }
        CHECK(printable_message(wide).find("\\x") == std::string::npos);
    }
}

TEST_CASE("jiffies count four milliseconds and wrap around") {
    using namespace std::chrono_literals;
    const Instant start{};
    CHECK(to_jiffies(start + 3999999ns) == 0);
    CHECK(to_jiffies(start + 4ms) == 1);
    CHECK(to_jiffies(start + 1s) == kJiffiesPerSecond);
    CHECK(jiffies_until(10, 4) == 6);
    CHECK(jiffies_until(4, 10) == -6);
    CHECK(jiffies_until(5, 0xfffffffb) == 10);
}

TEST_CASE("directions of tracked packets") {
    CHECK(direction_of(CtInfo::New) == Direction::Original);
    CHECK(direction_of(CtInfo::Related) == Direction::Original);
    CHECK(direction_of(CtInfo::EstablishedReply) == Direction::Reply);
    CHECK(direction_of(CtInfo::RelatedReply) == Direction::Reply);
    CHECK(opposite(Direction::Reply) == Direction::Original);
}

TEST_CASE("the same seed gives the same numbers, a copy forks them") {
    RandomSource a(1);
    RandomSource b(1);
    RandomSource other(2);
    CHECK(a.next64() == b.next64());
    CHECK(a.next64() != other.next64());
    b.next64();
    RandomSource fork = a;
    CHECK(fork.next64() == a.next64());
}

TEST_CASE("bounded numbers stay below their bound and reach all of it") {
    RandomSource random(3);
    std::array<unsigned, 7> seen{};
    for (int i = 0; i < 7000; ++i) {
        const std::uint32_t value = random.below(7);
        REQUIRE(value < 7);
        ++seen[value];
    }
    for (const unsigned count : seen) {
        CHECK(count > 800);
        CHECK(count < 1200);
    }
    CHECK(random.below(1) == 0);
}

TEST_CASE("SipHash depends on key, words and their number") {
    const std::uint64_t words[] = {1, 2, 3};
    const SipKey key{0x0706050403020100, 0x0f0e0d0c0b0a0908};
    const std::uint64_t hash = siphash13(key, words, 3);
    CHECK(hash == siphash13(key, words, 3));
    CHECK(hash != siphash13({key.k0 + 1, key.k1}, words, 3));
    CHECK(hash != siphash13({key.k0, key.k1 + 1}, words, 3));
    CHECK(hash != siphash13(key, words, 2));
    const std::uint64_t swapped[] = {2, 1, 3};
    CHECK(hash != siphash13(key, swapped, 3));
    const std::uint64_t zeros[] = {0, 0};
    CHECK(siphash13(key, zeros, 1) != siphash13(key, zeros, 2));
}
