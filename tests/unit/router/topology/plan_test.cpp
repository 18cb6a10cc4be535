#include <doctest/doctest.h>

#include <algorithm>

#include "router/topology/plan.hpp"

using namespace nsr;
using namespace nsr::router;

namespace {

InterfaceConfig link(const std::string& name, const std::string& netns, const std::string& own,
                     const std::string& far) {
    InterfaceConfig interface;
    interface.name = interface.device = name;
    interface.netns = netns;
    interface.addresses.push_back({*parse_prefix(own), {}});
    interface.host_addresses.push_back({*parse_prefix(far), {}});
    return interface;
}

std::vector<std::string> in_words(const Plan& plan) {
    std::vector<std::string> words;
    for (const Part& part : plan) {
        for (const Operation& operation : part.operations) {
            words.push_back(in_words(operation));
        }
    }
    return words;
}

}  // namespace

TEST_CASE("plan: a link gets its namespace, device, addresses and routes, in this order") {
    Config config;
    config.interfaces.push_back(link("lan", "client", "10.0.1.1/24", "10.0.1.2/24"));
    config.interfaces[0].host_routes.push_back({*parse_prefix("0.0.0.0/0"), {}, {}});
    CHECK(in_words(plan_for(config)) ==
          std::vector<std::string>{
              "namespace client", "lo up in namespace client", "TUN device lan in namespace client",
              "MTU 1500 of lan in namespace client",
              "address 10.0.1.2/24 on lan in namespace client", "lan up in namespace client",
              "route 0.0.0.0/0 via 10.0.1.1 dev lan in namespace client"});
}

TEST_CASE("plan: every link is a part that can be made alone, also in a namespace of two") {
    Config config;
    config.interfaces.push_back(link("a", "both", "10.0.1.1/24", "10.0.1.2/24"));
    config.interfaces.push_back(link("b", "both", "10.0.2.1/24", "10.0.2.2/24"));
    config.control.netns = "both";
    const Plan plan = plan_for(config);
    REQUIRE(plan.size() == 3);
    CHECK(plan[0].name == "a");
    for (const Part& part : plan) {
        CHECK(in_words(part.operations.at(0)) == "namespace both");
    }
}

TEST_CASE("plan: a namespace that routes, too, passes on both families") {
    Config config;
    config.interfaces.push_back(link("wan", "access", "10.64.0.2/24", "10.64.0.1/24"));
    config.interfaces[0].host_forwarding = true;
    const auto words = in_words(plan_for(config));
    for (const char* expected : {"net/ipv4/ip_forward = 1 in namespace access",
                                 "net/ipv6/conf/all/forwarding = 1 in namespace access"}) {
        CHECK(std::count(words.begin(), words.end(), expected) == 1);
    }
}

TEST_CASE("plan: an interface without a namespace appears in the current one") {
    Config config;
    config.interfaces.push_back(link("lan", "", "10.0.1.1/24", "10.0.1.2/24"));
    CHECK(in_words(plan_for(config)).front() == "TUN device lan");
}

TEST_CASE("plan: the [host] namespace gets one device; what is on it follows the router") {
    Config config;
    config.host_netns = "self";
    config.interfaces.push_back(link("lan", "client", "10.0.1.1/24", "10.0.1.2/24"));
    auto words = in_words(plan_for(config));
    REQUIRE(words.size() > 4);
    words.erase(words.begin(), words.end() - 4);
    CHECK(words == std::vector<std::string>{"namespace self", "lo up in namespace self",
                                            "TUN device router in namespace self",
                                            "router up in namespace self"});
}
