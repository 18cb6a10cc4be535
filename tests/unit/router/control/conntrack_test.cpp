// POST /conntrack: the words of a command, one a line.
#include <doctest/doctest.h>

#include <string>

#include "tests/unit/router/control/port_fixture.hpp"

namespace nsr::router {

TEST_CASE("POST /conntrack: words on one line are told from wrong ones") {
    PortFixture port;
    const std::string add = "-A -t 60 -s 10.0.1.2 -d 192.0.2.2 -p udp --sport 1000 --dport 53";
    std::string words = add;
    for (char& each : words) {
        each = each == ' ' ? '\n' : each;
    }
    REQUIRE(port.ask("POST", "/conntrack", {.body = words}).status == 200);
    for (const std::string& line : {add, std::string("-D -p udp"), std::string("-F conntrack")}) {
        const http::Response response = port.ask("POST", "/conntrack", {.body = line + "\n"});
        CHECK(response.status == 400);
        CHECK(response.body ==
              "the words of a command stand one a line, as in \"-A\\n-p\\nudp\", and \"" + line +
                  "\" is one word\n");
    }
    CHECK(port.router().connections() == 1);
    const http::Response wrong = port.ask("POST", "/conntrack", {.body = "-A\n-p\nfoo"});
    CHECK(wrong.status == 400);
    CHECK(wrong.body.find("one a line") == std::string::npos);
}

}  // namespace nsr::router
