// What `conntrack -R` has made of a file: many lines in one request, in turns.
#include <doctest/doctest.h>

#include <string>

#include "router/tools/conntrack/load.hpp"
#include "tests/unit/router/control/port_fixture.hpp"

namespace nsr::router {
namespace {

std::string line_of(int number) {
    return "-A -t 60 -s 10.0.1.2 -d 192.0.2.2 -p udp --sport " + std::to_string(1000 + number) +
           " --dport 53\n";
}

std::string lines_of(int many) {
    std::string text;
    for (int i = 0; i < many; ++i) {
        text += line_of(i);
    }
    return text;
}

http::Response load(PortFixture& port, const std::string& lines) {
    return port.ask("POST", "/conntrack", {.body = "-R\n\n" + lines});
}

}  // namespace

TEST_CASE("conntrack load: the lines are made in turns, each once") {
    PortFixture port;
    auto read = ConntrackLoad::parse("# saved\n\n" + lines_of(150) + line_of(0));
    REQUIRE(read.ok());
    const Instant now = SystemClock().now();
    CHECK(read->advance(port.router(), now));
    const std::uint64_t first = port.router().connections();
    CHECK(first > 0);
    CHECK(first <= 64);
    while (read->advance(port.router(), now)) {
    }
    CHECK(port.router().connections() == 150);
    CHECK(read->error().empty());
}

TEST_CASE("conntrack load: the first line that cannot be made ends it, what came before stays") {
    PortFixture port;
    const std::string twice = "-I" + line_of(0).substr(2);
    const http::Response response = load(port, "# saved\n\n" + lines_of(3) + twice + line_of(4));
    CHECK(response.status == 200);
    REQUIRE(response.trailer_value);
    CHECK(response.trailer_value() ==
          "1 6 Operation%20failed%3A%20Such%20conntrack%20exists%2C%20try%20-U%20to%20update");
    CHECK(port.router().connections() == 3);
    CHECK(load(port, line_of(5)).trailer_value() == "0");
    CHECK(port.router().connections() == 4);
}

TEST_CASE("conntrack load: what is no line of it is refused, and nothing is made") {
    PortFixture port;
    for (const std::string wrong : {"-D -p udp\n", "-I expect\n", "-A --nope\n", "-A 'open\n"}) {
        CAPTURE(wrong);
        const http::Response response = load(port, line_of(0) + "\n" + wrong);
        CHECK(response.status == 400);
        CHECK(response.body.starts_with("line 3: "));
    }
    CHECK(port.ask("POST", "/conntrack", {.body = "-R\n\n", .query = {{"dry-run", "1"}}}).status ==
          400);
    CHECK(port.router().connections() == 0);
}

}  // namespace nsr::router
