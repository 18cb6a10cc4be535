// Timeout policies by name and by number: what is there, and when a number is another one's.
#include "core/conntrack/timeout_policies.hpp"

#include <doctest/doctest.h>

#include <string>

#include "core/wire/protocol.hpp"

using namespace nsr;
using namespace nsr::conntrack;

namespace {

TimeoutPolicy policy(std::string name, std::uint8_t protocol) {
    TimeoutPolicy made;
    made.name = std::move(name);
    made.family = Family::Ipv4;
    made.protocol = protocol;
    return made;
}

}  // namespace

TEST_CASE("timeout policies: one that finds no room leaves the one of its name where it is") {
    TimeoutPolicies policies;
    for (std::size_t i = 0; i < kMostTimeoutPolicies; ++i) {
        REQUIRE(policies.put(policy("p" + std::to_string(i), proto::kUdp)));
    }
    const TimeoutPolicyId busy = policies.id_of("p0");
    policies.join(busy);
    CHECK_FALSE(policies.put(policy("p0", proto::kTcp)));
    REQUIRE(policies.find("p0") != nullptr);
    CHECK(policies.find("p0")->protocol == proto::kUdp);
    CHECK(policies.id_of("p0") == busy);
    policies.leave(busy);
    CHECK(policies.put(policy("p0", proto::kTcp)));
    CHECK(policies.find("p0")->protocol == proto::kTcp);
    CHECK(policies.all().size() == kMostTimeoutPolicies);
}

TEST_CASE("timeout policies: connections of one that became another protocol's go by the sysctls") {
    TimeoutPolicies policies;
    REQUIRE(policies.put(policy("p", proto::kUdp)));
    const TimeoutPolicyId old = policies.id_of("p");
    policies.join(old);
    REQUIRE(policies.put(policy("p", proto::kTcp)));
    CHECK(policies.id_of("p") != old);
    CHECK(policies.timeouts(old) == nullptr);
}
