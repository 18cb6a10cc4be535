// A configuration that is shown to others: the token is not in it, however it is written.
#include "router/config/hidden.hpp"

#include <doctest/doctest.h>

#include <string>

namespace nsr::router {

TEST_CASE("hidden: the token, in every way that TOML writes a string") {
    constexpr const char* kSecret = "0123456789abcdef";
    for (const std::string written :
         {"\"0123456789abcdef\"", "'0123456789abcdef'", "\"\"\"0123456789abcdef\"\"\"",
          "'''0123456789abcdef'''", "\"\\u0030123456789abcdef\"",
          "\"\"\"\n0123456789\\\n  abcdef\"\"\""}) {
        for (const std::string form : {"[control]\ntoken = @ # it\nlisten = \"\"\n",
                                       "# ö\ncontrol = { token = @, listen = \"\" }\n",
                                       "control.token = @\ncontrol.listen = \"\"\n"}) {
            std::string text = form;
            text.replace(text.find('@'), 1, written);
            CAPTURE(text);
            if (written.find('\n') != std::string::npos && form.find('{') != std::string::npos) {
                continue;  // an inline table is one line
            }
            const auto shown = without_token(text, "router.toml");
            REQUIRE(shown.ok());
            CHECK(shown->find(kSecret) == std::string::npos);
            CHECK(shown->find("9abcdef") == std::string::npos);
            CHECK(shown->find("listen") != std::string::npos);
        }
    }
}

TEST_CASE("hidden: wherever else the same bytes stand; without a token nothing changes") {
    const auto shown = without_token(
        "# was 0123456789abcdef\n[control]\ntoken = \"0123456789abcdef\"\n", "router.toml");
    REQUIRE(shown.ok());
    CHECK(shown->find("0123456789abcdef") == std::string::npos);
    constexpr const char* kPlain = "[router]\nname = \"x\"\n";
    CHECK(*without_token(kPlain, "router.toml") == kPlain);
    CHECK_FALSE(without_token("[control\ntoken = \"0123456789abcdef\"", "router.toml").ok());
    CHECK(without_bytes("a b a", "a") ==
          std::string(kHiddenToken) + " b " + std::string(kHiddenToken));
    CHECK(without_bytes("a", "") == "a");
}

}  // namespace nsr::router
