#include "router/config/toml.hpp"

#include <doctest/doctest.h>

#include "core/base/random.hpp"

namespace nsr::router {

TEST_CASE("keys come back in the file's order with their places") {
    const auto tree =
        parse_toml("zebra = 1\n[b.c]\n  apple.x = \"s\"\n[a]\ny = [1.5, true]\n", "f");
    REQUIRE(tree.ok());
    REQUIRE(tree->members.size() == 3);
    CHECK(tree->members[0].key == "zebra");
    CHECK(tree->members[1].key == "b");
    CHECK(tree->members[2].key == "a");
    const TomlMember* apple = tree->members[1].value.find("c")->value.find("apple");
    REQUIRE(apple != nullptr);
    CHECK(apple->where.line == 3);
    CHECK(apple->where.column == 3);
    CHECK(apple->value.find("x")->value.text == "s");
    const TomlValue& list = tree->find("a")->value.find("y")->value;
    CHECK(list.items[0].number == 1.5);
    CHECK(list.items[1].boolean);
    CHECK(list.items[1].where.column == 11);
}

TEST_CASE("columns count characters, not bytes") {
    const auto tree = parse_toml("a = [\"\xc3\xa4\xc3\xb6\", 7]\n", "f");
    REQUIRE(tree.ok());
    CHECK(tree->find("a")->value.items[1].where.column == 12);
}

TEST_CASE("brackets in strings and comments are no tables") {
    CHECK(parse_toml("a = \"[&\" # [&\nb = '''\n[&\n'''\nc = \"\"\"\n[&\\\"\"\"\"\n", "f").ok());
    CHECK(parse_toml("a = [\n  [1, 2],\n  [3]\n]\n", "f").ok());
    CHECK(parse_toml("a = {b.c = [{d = 1}, {}], 2024-01 = 0xF_f}\n1.2 = -1_0.5e+3\n", "f").ok());
}

TEST_CASE("what the library must not see is refused before it") {
    for (const char* text : {"[&", "[[&]]", "[", "[[", "[ ", "[\n", "[=]", "a = 1\n [&\n",
                             "a = [1,}", "a = {b = 1]", "a = ]", "a = 07:x", "a = [1979-05-27]",
                             "a = _1", "a = 1__0", "a = 0xg", "a = 1e", "a = demo", "a:b = 1"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_toml(text, "f").ok());
    }
    CHECK_FALSE(parse_toml(std::string("a = ") + std::string(33, '['), "f").ok());
    std::string dotted = "a";
    for (int i = 0; i < 40; ++i) {
        dotted += ".a";
    }
    CHECK_FALSE(parse_toml(dotted + " = 1", "f").ok());
    CHECK_FALSE(parse_toml(std::string(kMaxConfigBytes + 1, ' '), "f").ok());
}

TEST_CASE("damaged text is an error or a value, never a crash") {
    const std::string text =
        "[router]\nname = \"demo\"\n[[interface]]\naddress = [\"10.0.1.1/24\", 'x']\n"
        "host = { a = 1, b.c = [1, 2.5e3] } # end\n[rules.filter]\nx = 1979-05-27T07:32:00Z\n"
        "s = \"\"\"a\\u00e4\nb\"\"\"\n";
    RandomSource random(7);
    const std::string alphabet = "[]{}&.=\"'#,\n\\ \t0x+-eT:\xff_a";
    for (int round = 0; round < 4000; ++round) {
        std::string damaged = text;
        for (std::uint32_t n = random.below(4) + 1; n > 0; --n) {
            const std::uint32_t at = random.below(static_cast<std::uint32_t>(damaged.size()));
            switch (random.below(3)) {
                case 0:
                    damaged[at] =
                        alphabet[random.below(static_cast<std::uint32_t>(alphabet.size()))];
                    break;
                case 1:
                    damaged.insert(
                        at, 1, alphabet[random.below(static_cast<std::uint32_t>(alphabet.size()))]);
                    break;
                default:
                    damaged.resize(at + 1);
            }
        }
        const auto tree = parse_toml(damaged, "f");
        CHECK((tree.ok() || !tree.error().empty()));
    }
}

}  // namespace nsr::router
