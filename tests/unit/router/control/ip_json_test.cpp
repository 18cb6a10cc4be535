// nsrouter ip -j, -br and -s; the names and columns are those of ip(8), iproute2 6.1.
#include <doctest/doctest.h>

#include <string>

#include "tests/unit/router/control/port_fixture.hpp"

namespace nsr::router {
namespace {

class IpPort : public PortFixture {
  public:
    IpPort() {
        routing::Interface lan;
        lan.name = "lan";
        lan.mtu = 1400;
        lan.addresses = {*parse_prefix("10.0.1.1/24"), *parse_prefix("fd00::1/64")};
        router().add_interface(std::move(lan));
    }
    std::string ip(const std::string& words) {
        const http::Response response = ask("POST", "/ip", {.body = words});
        CHECK(response.status == 200);
        return response.body;
    }
};

}  // namespace

TEST_CASE("ip -j: interfaces and addresses") {
    IpPort port;
    CHECK(
        port.ip("-j\naddr") ==
        R"([{"ifindex":1,"ifname":"lan","flags":["POINTOPOINT","NOARP","UP","LOWER_UP"],"mtu":1400,)"
        R"("operstate":"UP","link_type":"none","addr_info":[{"family":"inet","local":"10.0.1.1",)"
        R"("prefixlen":24,"scope":"global","label":"lan"},{"family":"inet6","local":"fd00::1",)"
        R"("prefixlen":64,"scope":"global"}]}])"
        "\n");
    CHECK(port.ip("-j\n-s\nlink")
              .find(R"("stats64":{"rx":{"bytes":0,"packets":0,"errors":0,"dropped":0})") !=
          std::string::npos);
}

TEST_CASE("ip -j: routes and rules") {
    IpPort port;
    port.ip("route\nadd\n10.9.0.0/16\nvia\n10.0.1.2\nmetric\n5");
    port.ip("route\nadd\nblackhole\n10.8.0.0/16");
    CHECK(
        port.ip("-j\nroute") ==
        R"([{"dst":"10.0.1.0/24","dev":"lan","protocol":"kernel","scope":"link","prefsrc":"10.0.1.1","flags":[]},)"
        R"({"type":"blackhole","dst":"10.8.0.0/16","flags":[]},)"
        R"({"dst":"10.9.0.0/16","gateway":"10.0.1.2","dev":"lan","metric":5,"flags":[]}])"
        "\n");
    port.ip("rule\nadd\nfrom\n10.0.1.0/24\nfwmark\n1\ntable\n100\npriority\n7");
    CHECK(
        port.ip("-j\nrule") ==
        R"([{"priority":0,"src":"all","table":"local"},)"
        R"({"priority":7,"src":"10.0.1.0","srclen":24,"fwmark":"0x1","table":"100"},)"
        R"({"priority":32766,"src":"all","table":"main"},{"priority":32767,"src":"all","table":"default"}])"
        "\n");
}

TEST_CASE("ip -br, -s: one line for each interface, and what it counts") {
    IpPort port;
    CHECK(port.ip("-br\naddr") == "lan              UP             10.0.1.1/24 fd00::1/64 \n");
    CHECK(port.ip("-br\n-4\naddr") == "lan              UP             10.0.1.1/24 \n");
    CHECK(port.ip("-br\nlink") ==
          "lan              UP             <POINTOPOINT,NOARP,UP,LOWER_UP> \n");
    CHECK(port.ip("-s\nlink\nshow\nlan") ==
          "1: lan: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1400 state UP\n"
          "    RX:  bytes packets errors dropped  missed   mcast           \n"
          "             0       0      0       0       0       0 \n"
          "    TX:  bytes packets errors dropped carrier collsns           \n"
          "             0       0      0       0       0       0 \n");
}

TEST_CASE("lists: routes, rules and expectations as JSON, in pages") {
    IpPort port;
    port.ip("route\nadd\n10.9.0.0/16\nvia\n10.0.1.2");
    const std::string all = port.ask("GET", "/routes").body;
    CHECK(
        all.find(
            R"("dst":"10.9.0.0/16","table":"main","protocol":"static","metric":0,"gateway":"10.0.1.2")") !=
        std::string::npos);
    std::string last = port.ask("GET", "/routes", {.query = {{"after", "2"}}}).body;
    CHECK(last.starts_with("[\n{\"family\":\"ipv4\",\"type\":\"unicast\",\"dst\":\"10.9.0.0/16\""));
    CHECK(port.ask("GET", "/routes", {.query = {{"limit", "0"}}}).body == "[]\n");
    CHECK(port.ask("GET", "/routes", {.query = {{"limit", "x"}}}).status == 400);
    CHECK(port.ask("GET", "/routing-rules", {.query = {{"limit", "1"}}}).body ==
          "[\n{\"family\":\"ipv4\",\"priority\":0,\"rule\":\"from all lookup local\"}\n]\n");
    CHECK(port.ask("GET", "/expectations").body == "[]\n");
}

}  // namespace nsr::router
