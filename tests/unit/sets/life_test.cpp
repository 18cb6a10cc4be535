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
    sets.adopt(std::move(aside), {"l", "a", "b"}, {});
    CHECK(members(sets, "a") == "10.0.0.2\n");
    CHECK(members(sets, "l") == "b\na\n");
    CHECK(sets.find("mine") != nullptr);
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
