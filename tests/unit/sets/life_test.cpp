// What happens to sets over time: elements that expire, sets that fill up, names that are swapped.
#include <doctest/doctest.h>

#include "language.hpp"

using namespace nsr;
using namespace std::chrono_literals;

namespace {

std::string members(sets::Sets& sets, const std::string& name, Instant now = {}) {
    const std::string text = tell(sets, "list " + name, now).text;
    return text.substr(text.find("Members:\n") + 9);
}

std::string line_of(sets::Sets& sets, const std::string& name, const std::string& begin,
                    Instant now = {}) {
    const std::string text = tell(sets, "list -t " + name, now).text;
    const std::size_t at = text.find(begin);
    return text.substr(at, text.find('\n', at) - at);
}

}  // namespace

TEST_CASE("an element is there until its time is over, and not listed, counted or found after") {
    sets::Sets sets(1, 2);
    Instant now{10s};
    tell(sets, "create s hash:ip timeout 5", now);
    tell(sets, "add s 10.0.0.1", now);
    tell(sets, "add s 10.0.0.2 timeout 60", now);
    tell(sets, "add s 10.0.0.3 timeout 0", now);
    now += 4s;
    CHECK(tell(sets, "test s 10.0.0.1", now).exit_code == 0);
    now += 2s;
    CHECK(tell(sets, "test s 10.0.0.1", now).exit_code == 1);
    CHECK(members(sets, "s", now) == "10.0.0.2 timeout 54\n10.0.0.3 timeout 0\n");
    CHECK(line_of(sets, "s", "Number", now) == "Number of entries: 2");
    CHECK(tell(sets, "add s 10.0.0.1", now).exit_code == 0);
}

TEST_CASE("expired elements give their memory back without being asked for") {
    sets::Sets sets(1, 2);
    Instant now{10s};
    CHECK(!sets.next_sweep());
    tell(sets, "create s hash:ip timeout 30 comment", now);
    tell(sets, "add s 10.0.0.0/20 comment 'a text that is too long for the small string'", now);
    REQUIRE(sets.find("s")->size() == 4096);
    now += 40s;
    REQUIRE(sets.next_sweep());
    CHECK(*sets.next_sweep() <= now);
    while (!sets.sweep(now)) {
    }
    CHECK(sets.find("s")->size() == 0);
    CHECK(!sets.next_sweep());
}

TEST_CASE("a full set says so; what has expired makes room, and with forceadd anything does") {
    sets::Sets sets(1, 2);
    Instant now{10s};
    tell(sets, "create s hash:ip maxelem 2 timeout 5", now);
    tell(sets, "add s 10.0.0.1-10.0.0.2", now);
    CHECK(tell(sets, "add s 10.0.0.3", now).errors ==
          "ipset v7.17: Hash is full, cannot add more elements\n");
    now += 6s;
    CHECK(tell(sets, "add s 10.0.0.3", now).errors == "");
    tell(sets, "create f hash:ip maxelem 2 forceadd", now);
    CHECK(tell(sets, "add f 10.0.0.1-10.0.0.9", now).errors == "");
    CHECK(line_of(sets, "f", "Number", now) == "Number of entries: 2");
    tell(sets, "create none hash:ip maxelem 0", now);
    CHECK(tell(sets, "add none 10.0.0.1", now).errors ==
          "ipset v7.17: Hash is full, cannot add more elements\n");
}

TEST_CASE("memory of a set that goes is freed piece by piece") {
    sets::Sets sets(1, 2);
    tell(sets, "create s hash:ip maxelem 200000");
    tell(sets, "add s 10.0.0.0/15");
    const std::size_t full = sets.bytes();
    CHECK(full > 131072 * 12);
    CHECK(tell(sets, "destroy s").errors == "");
    CHECK(sets.bytes() == 0);
    CHECK(sets.next_sweep());
    unsigned pieces = 0;
    while (!sets.sweep({})) {
        ++pieces;
    }
    CHECK(pieces > 10);
    CHECK(!sets.next_sweep());
}

TEST_CASE("swap exchanges contents under names that rules and lists hold") {
    sets::Sets sets(1, 2);
    tell(sets, "create live hash:ip");
    tell(sets, "create next hash:ip");
    tell(sets, "create l list:set");
    tell(sets, "add live 10.0.0.1");
    tell(sets, "add next 10.0.0.2");
    tell(sets, "add l live");
    const sets::References rules{{"live", 1}};
    CHECK(tell(sets, "swap live next", {}, rules).errors == "");
    CHECK(members(sets, "live") == "10.0.0.2\n");
    CHECK(members(sets, "next") == "10.0.0.1\n");
    CHECK(members(sets, "l") == "live\n");
    CHECK(tell(sets, "destroy live", {}, rules).errors ==
          "ipset v7.17: Set cannot be destroyed: it is in use by a kernel component\n");
    CHECK(tell(sets, "rename live other", {}, rules).errors ==
          "ipset v7.17: Set cannot be renamed: it is in use by another system\n");
    CHECK(tell(sets, "destroy next", {}, rules).errors == "");
    CHECK(tell(sets, "destroy", {}, rules).errors ==
          "ipset v7.17: Set cannot be destroyed: it is in use by a kernel component\n");
    CHECK(tell(sets, "list -t live", {}, rules).text.find("References: 2\n") != std::string::npos);
}

TEST_CASE("sets that were made aside take the place of the old ones, lists included") {
    sets::Sets sets(1, 2);
    tell(sets, "create a hash:ip");
    tell(sets, "add a 10.0.0.1");
    tell(sets, "create mine hash:ip");
    sets::Sets aside = sets.beside();
    tell(aside, "create l list:set");
    tell(aside, "create a hash:ip");
    tell(aside, "create b hash:net");
    tell(aside, "add a 10.0.0.2");
    tell(aside, "add l b");
    tell(aside, "add l a");
    CHECK(sets.adopt(std::move(aside), {"l", "a", "b"}, {}) == sets::Failure::None);
    CHECK(members(sets, "a") == "10.0.0.2\n");
    CHECK(members(sets, "l") == "b\na\n");
    CHECK(sets.find("mine") != nullptr);
}

TEST_CASE("adopting more sets than there may be changes nothing and says so") {
    sets::Sets sets(1, 2, {.sets = 2});
    tell(sets, "create a hash:ip");
    sets::Sets aside = sets.beside();
    tell(aside, "create a hash:net");
    tell(aside, "create l list:set");
    tell(sets, "create mine hash:ip");
    CHECK(sets.adopt(std::move(aside), {"a", "l"}, {}) == sets::Failure::TooManySets);
    CHECK(sets.find("l") == nullptr);
    CHECK(sets.find("a")->type().name == "hash:ip");
    tell(sets, "destroy mine");
    CHECK(sets.adopt(std::move(aside), {"a", "l"}, {}) == sets::Failure::None);
    CHECK(sets.find("a")->type().name == "hash:net");
}

TEST_CASE("sets that were made aside are within the bound of memory of all") {
    sets::Sets sets(1, 2, {.bytes = 200'000});
    tell(sets, "create a hash:ip");
    tell(sets, "add a 10.0.0.0/21");
    const std::size_t before = sets.bytes();
    REQUIRE(before < 200'000);
    sets::Sets aside = sets.beside();
    tell(aside, "create a hash:ip");
    tell(aside, "create b hash:ip");
    CHECK(tell(aside, "add b 10.0.0.0/16").errors ==
          "ipset v7.17: Kernel error received: Cannot allocate memory\n");
    CHECK(sets.adopt(std::move(aside), {"b"}, {}) == sets::Failure::OutOfMemory);
    CHECK(sets.find("b") == nullptr);
    CHECK(sets.bytes() == before);
    CHECK(sets.adopt(std::move(aside), {"a"}, {}) == sets::Failure::None);
    CHECK(sets.bytes() < before);
}

TEST_CASE("a set with timeouts that was made aside is swept in its new place") {
    sets::Sets sets(1, 2);
    Instant now{10s};
    sets::Sets aside = sets.beside();
    tell(aside, "create s hash:ip timeout 5", now);
    tell(aside, "add s 10.0.0.0/24", now);
    CHECK(!sets.next_sweep());
    CHECK(sets.adopt(std::move(aside), {"s"}, now) == sets::Failure::None);
    now += 40s;
    REQUIRE(sets.next_sweep());
    while (!sets.sweep(now)) {
    }
    CHECK(sets.find("s")->size() == 0);
}

TEST_CASE("a command that stands for too many elements is refused before the first of them") {
    struct Row {
        std::string create;
        std::string element;
        bool taken;
    };
    const std::vector<Row> rows = {
        {"hash:ip,port,ip forceadd", "0.0.0.1-255.255.255.254,tcp:0-65535,192.0.2.1", false},
        {"hash:ip bitmask 255.0.0.0", "1.0.0.0-254.255.255.255", false},
        {"hash:ip forceadd", "16.0.0.0-16.16.0.0", false},
        {"hash:ip netmask 16", "16.0.0.0-16.16.0.0", true},
        {"hash:net,port,net", "1.0.0.1-254.255.255.254,tcp:0-65535,10.0.0.0/8", false},
        {"hash:net", "0.0.0.1-255.255.255.255", true},
    };
    for (const Row& row : rows) {
        CAPTURE(row.create + " " + row.element);
        sets::Sets sets(1, 2);
        REQUIRE(tell(sets, "create s " + row.create).errors == "");
        const std::string refused =
            "ipset v7.17: The range you specified exceeds the size limit: " + row.element +
            " stands for more than 1048576 elements\n";
        CHECK(tell(sets, "-! add s " + row.element).errors == (row.taken ? "" : refused));
        CHECK((sets.find("s")->size() == 0) == !row.taken);
        CHECK(tell(sets, "-! del s " + row.element).errors == (row.taken ? "" : refused));
    }
}

TEST_CASE("a long range is added in steps, and packets may come between them") {
    sets::Sets sets(1, 2);
    tell(sets, "create s hash:ip maxelem 100000");
    const auto args = router::parse_ipset_args({"add", "s", "10.0.0.0/16"});
    REQUIRE(args);
    router::IpsetPass pass(*args);
    std::string out;
    unsigned steps = 1;
    while (pass.advance({sets, [] { return sets::References(); }, {}}, 1000, out)) {
        ++steps;
    }
    CHECK(steps >= 65);
    CHECK(sets.find("s")->size() == 65536);
    CHECK(pass.exit_code() == 0);
}

TEST_CASE("a range that is being added is not written into another set of that name") {
    sets::Sets sets(1, 2);
    const router::IpsetContext context{sets, [] { return sets::References(); }, {}};
    const auto begin_adding = [&] {
        tell(sets, "create s hash:ip maxelem 100000");
        router::IpsetPass pass(*router::parse_ipset_args({"add", "s", "10.0.0.0/16"}));
        std::string out;
        REQUIRE(pass.advance(context, 1000, out));
        return pass;
    };
    const auto goes_on = [&](router::IpsetPass pass) {
        pass.run_to_end(context);
        CHECK(pass.exit_code() == 1);
        CHECK(pass.errors() == "ipset v7.17: The set with the given name does not exist\n");
    };

    SUBCASE("it was destroyed, and one of another type took its place") {
        router::IpsetPass pass = begin_adding();
        tell(sets, "destroy s");
        tell(sets, "create s hash:net,port");
        goes_on(std::move(pass));
        CHECK(sets.find("s")->size() == 0);
    }
    SUBCASE("other contents were put in its place") {
        router::IpsetPass pass = begin_adding();
        sets::Sets aside = sets.beside();
        tell(aside, "create s bitmap:port range 0-9");
        REQUIRE(sets.adopt(std::move(aside), {"s"}, {}) == sets::Failure::None);
        goes_on(std::move(pass));
        CHECK(sets.find("s")->size() == 0);
    }
    SUBCASE("it was swapped") {
        router::IpsetPass pass = begin_adding();
        tell(sets, "create other hash:ip");
        tell(sets, "swap s other");
        goes_on(std::move(pass));
        CHECK(sets.find("s")->size() == 0);
    }
}

TEST_CASE("the first and the last member of a list have a neighbour on one side only") {
    sets::Sets sets(1, 2);
    for (const char* command :
         {"create a hash:ip", "create b hash:ip", "create l list:set", "add l a", "add l b"}) {
        REQUIRE(tell(sets, command).errors == "");
    }
    CHECK(tell(sets, "test l a before b").exit_code == 0);
    CHECK(tell(sets, "test l b after a").exit_code == 0);
    CHECK(tell(sets, "test l a after b").exit_code == 1);
    CHECK(tell(sets, "test l b before a").exit_code == 1);
    CHECK(tell(sets, "test l a before nobody").exit_code == 1);
}
