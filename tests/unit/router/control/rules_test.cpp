// Texts of rules that are good, but not for this router.
#include <doctest/doctest.h>

#include "tests/unit/router/control/port_fixture.hpp"

namespace nsr::router {

TEST_CASE("rules that need tracking where it is off are refused at their line, also by a test") {
    PortFixture port;
    REQUIRE(port.router().set_tracking(TrackingMode::Off, SystemClock().now()).ok());
    const std::string text =
        "*filter\n-A FORWARD -j ACCEPT\n-A FORWARD -m state --state NEW -j ACCEPT\nCOMMIT\n";
    for (const char* test : {"0", "1"}) {
        const http::Response response = port.ask(
            "PUT", "/rules", {.body = text, .query = {{"file", "rules.v4"}, {"test", test}}});
        CHECK(response.status == 400);
        CHECK(response.body.starts_with(
            "rules.v4:3:4: connection tracking is off, and a rule needs it: FORWARD -m state"));
    }
    const http::Response nat =
        port.ask("PUT", "/rules", {.body = "*nat\nCOMMIT\n", .query = {{"file", "rules.v4"}}});
    CHECK(nat.body ==
          "rules.v4: connection tracking is off, and a rule needs it: the loaded IPv4 nat table\n");
}

}  // namespace nsr::router
