// Sets at their limits: what is done between two batches of packets is a bounded piece of it.
#include <doctest/doctest.h>

#include <string>

#include "language.hpp"

using namespace nsr;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t kSweepPlaces = 4096;  // of one call

std::size_t elements(const sets::Sets& sets) {
    std::size_t sum = 0;
    for (const sets::SetId id : sets.all()) {
        sum += sets.get(id).size();
    }
    return sum;
}

// Sweeps until nothing is due. Returns the calls; none may remove more than a piece.
std::size_t sweep_all(sets::Sets& sets, Instant now) {
    std::size_t calls = 1;
    for (std::size_t before = elements(sets); !sets.sweep(now); before = elements(sets)) {
        ++calls;
        REQUIRE(before - elements(sets) <= kSweepPlaces);
    }
    return calls;
}

}  // namespace

TEST_CASE("weapon: 200,000 elements whose time is over at once go in pieces") {
    sets::Sets sets(1, 2);
    Instant now{10s};
    tell(sets, "create s hash:ip,port timeout 5 maxelem 1000000", now);
    tell(sets, "create b bitmap:port range 0-65535 timeout 5", now);
    tell(sets, "add s 10.0.0.0/23,tcp:1-400", now);
    tell(sets, "add b 0-65535", now);
    REQUIRE(elements(sets) > 200'000);
    now += 100s;
    CHECK(sweep_all(sets, now) >= elements(sets) / kSweepPlaces);
    CHECK(elements(sets) == 0);
}

TEST_CASE("weapon: all members of a long list expire at once") {
    sets::Sets sets(1, 2);
    Instant now{10s};
    tell(sets, "create l list:set timeout 5", now);
    for (int i = 0; i < 10'000; ++i) {
        const std::string name = "s" + std::to_string(i);
        tell(sets, "create " + name + " bitmap:port range 1-2", now);
        REQUIRE(sets.add_member(*sets.id_of("l"), {name}, {.timeout = 5}, false, now) ==
                sets::Failure::None);
    }
    CHECK(sets.lists_with(*sets.id_of("s77")) == 1);
    now += 100s;
    CHECK(sweep_all(sets, now) >= 3);
    CHECK(sets.find("l")->order().empty());
    CHECK(sets.lists_with(*sets.id_of("s77")) == 0);
}

TEST_CASE("weapon: as many sets as there may be") {
    sets::Sets sets(1, 2);
    const sets::SetSpec spec{.type = sets::find_type("hash:ip"), .family = Family::Ipv4};
    for (int i = 0; i < 65534; ++i) {
        REQUIRE(sets.create("s" + std::to_string(i), spec, false) == sets::Failure::None);
    }
    CHECK(tell(sets, "create more hash:ip").errors ==
          "ipset v7.17: Kernel error received: maximal number of sets reached, cannot create"
          " more.\n");
    CHECK(tell(sets, "destroy s7").errors == "");
    CHECK(tell(sets, "create more hash:ip").errors == "");
    CHECK(tell(sets, "list -n").text.size() > 65534 * 3);
    CHECK(tell(sets, "destroy").errors == "");
    CHECK(sets.empty());
    CHECK(sets.bytes() == 0);
    CHECK(tell(sets, "create s9 hash:ip").errors == "");  // the old ones are out of the way
    CHECK(sweep_all(sets, Instant{}) > 65534 / 100);
    CHECK(sets.find("s9") != nullptr);
    CHECK(!sets.next_sweep());
}
