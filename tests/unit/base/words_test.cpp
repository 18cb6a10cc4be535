#include "core/base/words.hpp"

#include <doctest/doctest.h>

using namespace nsr;

namespace {

// Words between slashes, or what went wrong.
std::string words_of(std::string_view line, Quoting quoting) {
    const auto words = split_words(line, quoting);
    if (!words) {
        return "open";
    }
    std::string text;
    for (const Word& word : *words) {
        text += word.text + "/";
    }
    return text;
}

}  // namespace

TEST_CASE("a line of iptables-save is split as iptables-restore splits it") {
    CHECK(words_of("-A X\t -j  LOG", Quoting::Restore) == "-A/X/-j/LOG/");
    CHECK(words_of(R"(--log-prefix "a \"b\" " 'c)", Quoting::Restore) ==
          "--log-prefix/a \"b\" /'c/");
    CHECK(words_of(R"(a\ b "")", Quoting::Restore) == "a\\/b//");
    CHECK(words_of("a \"b", Quoting::Restore) == "open");
    const auto words = split_words("  -j \"LOG\"", Quoting::Restore);
    CHECK((*words)[1].column == 6);
    CHECK((*words)[1].quoted);
}

TEST_CASE("a line of a command is split as a shell splits it") {
    CHECK(words_of(R"(a 'b c' d\ e "f'g")", Quoting::Shell) == "a/b c/d e/f'g/");
    CHECK(words_of(R"('a\b')", Quoting::Shell) == "a\\b/");
    CHECK(words_of("it's", Quoting::Shell) == "open");
}

TEST_CASE("what was meant: a letter more, less, another, or two the wrong way round") {
    const std::vector<std::string_view> names = {"limit", "length", "mark", "tcp"};
    for (const std::string_view slip : {"limitt", "limt", "linit", "ilmit", "LIMIT"}) {
        CHECK(nearest(slip, names) == "limit");
    }
    CHECK(nearest("zebra", names).empty());
    CHECK(did_you_mean("tpc", names) == "; did you mean \"tcp\"?");
    CHECK(nearest(std::string(100000, 'x'), names).empty());
}
