// Which sets may hold an address is known without asking them: too many may be named, never too
// few, whatever an administrator and packets do to the sets.
#include <doctest/doctest.h>

#include <array>
#include <string>

#include "core/base/random.hpp"
#include "core/packet/dissect.hpp"
#include "language.hpp"
#include "tests/support/packet_builder.hpp"

using namespace nsr;
using namespace nsr::test;
using sets::MayHold;

namespace {

bool may_hold(const sets::Sets& sets, std::string_view name, const IpAddress& address) {
    MayHold found;
    sets.may_hold(address, found);
    return found.contains(sets::hash_of_name(name));
}

bool may_hold(const sets::Sets& sets, std::string_view name, std::string_view address) {
    return may_hold(sets, name, *parse_address(address));
}

// What somebody does to sets, by chance.
class Life {
  public:
    explicit Life(std::uint64_t seed) : random_(seed) {}

    std::string command() {
        const std::string name = set();
        switch (random_.below(16)) {
            case 0:
                return "create " + name + " " + kTypes[random_.below(kTypes.size())];
            case 1:
                return "flush " + name;
            case 2:
                return "destroy " + name;
            case 3:
                return "rename " + name + " " + set();
            case 4:
            case 5:
                return "swap " + name + " " + set();
            case 6:
                return "add " + name + " 192.168.0.0-192.168.0.99";
            case 7:
                return "del " + name + " " + address();
            default:
                return "add " + name + " " + address() + network() + suffix();
        }
    }
    std::string address() {
        return "10." + std::to_string(random_.below(3)) + "." + std::to_string(random_.below(3)) +
               "." + std::to_string(1 + random_.below(4));
    }
    static std::string set_name(unsigned number) { return "s" + std::to_string(number); }
    static constexpr unsigned kSets = 8;

  private:
    std::string set() { return set_name(random_.below(kSets)); }
    std::string network() {
        constexpr std::array kLengths = {"", "", "", "/24", "/20", "/15", "/8", "/7"};
        return kLengths[random_.below(kLengths.size())];
    }
    std::string suffix() {
        constexpr std::array kRests = {"", "", ",80", ",mark", " nomatch", " timeout 3"};
        return kRests[random_.below(kRests.size())];
    }
    static constexpr std::array<const char*, 7> kTypes = {
        "hash:ip",       "hash:ip timeout 9",  "hash:net", "hash:ip,port",
        "hash:net,port", "hash:ip netmask 20", "list:set"};
    RandomSource random_;
};

}  // namespace

TEST_CASE("a set that holds an address is always named among those that may") {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        Life life(seed);
        sets::Sets sets(1, 2);
        Instant now{std::chrono::seconds(1)};
        BufferPool pool;
        for (int i = 0; i < 600; ++i) {
            tell(sets, life.command(), now);
            now += std::chrono::milliseconds(100);
            if (i % 50 == 0) {
                sets.sweep(now);
            }
            Packet packet = tcp(life.address() + ":80", life.address() + ":80").syn().packet(pool);
            REQUIRE(dissect(packet).accepted());
            for (unsigned number = 0; number < Life::kSets; ++number) {
                const std::string name = Life::set_name(number);
                const bool held = sets.match(name, {packet, {}, {}}, {2, 0b11}, {}, now);
                if (held) {
                    CHECK(may_hold(sets, name, packet.layout.source));
                }
            }
        }
    }
}

TEST_CASE("a small set is not named for addresses that it does not hold") {
    sets::Sets sets(1, 2);
    tell(sets, "create a hash:ip");
    tell(sets, "create n hash:net");
    tell(sets, "create six hash:net family inet6");
    CHECK_FALSE(may_hold(sets, "a", "10.0.0.1"));
    tell(sets, "add a 10.0.0.1");
    tell(sets, "add n 10.0.0.0/20");
    tell(sets, "add six fd00::/48");
    CHECK(may_hold(sets, "a", "10.0.0.1"));
    CHECK_FALSE(may_hold(sets, "a", "10.0.0.2"));
    CHECK(may_hold(sets, "n", "10.0.9.9"));
    CHECK_FALSE(may_hold(sets, "n", "10.1.0.1"));
    CHECK(may_hold(sets, "six", "fd00::7"));
    CHECK_FALSE(may_hold(sets, "six", "fd01::7"));
    tell(sets, "swap a n");
    tell(sets, "create b hash:ip");
    tell(sets, "swap a b");
    CHECK_FALSE(may_hold(sets, "a", "10.0.0.1"));
    CHECK(may_hold(sets, "b", "10.0.0.1"));
    tell(sets, "flush b");
    CHECK_FALSE(may_hold(sets, "b", "10.0.0.1"));
}

TEST_CASE("a large set, and one beside too many others, are named for any address") {
    sets::Sets sets(1, 2);
    tell(sets, "create large hash:ip");
    tell(sets, "add large 10.0.0.0/26");
    CHECK_FALSE(may_hold(sets, "large", "192.0.2.1"));
    tell(sets, "add large 10.0.1.0");
    CHECK(may_hold(sets, "large", "192.0.2.1"));
    tell(sets, "flush large");
    CHECK_FALSE(may_hold(sets, "large", "10.0.0.1"));

    for (int i = 0; i < 300; ++i) {
        const std::string name = "s" + std::to_string(i);
        tell(sets, "create " + name + " hash:ip");
        tell(sets, "add " + name + " 10.0.0.1");
    }
    CHECK(may_hold(sets, "s299", "10.0.0.1"));
    CHECK(may_hold(sets, "s299", "192.0.2.1"));
    CHECK_FALSE(may_hold(sets, "s0", "192.0.2.1"));
    tell(sets, "destroy");
    CHECK_FALSE(may_hold(sets, "s299", "10.0.0.1"));
}
