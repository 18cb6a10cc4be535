#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "core/base/random.hpp"
#include "core/conntrack/table/index.hpp"
#include "core/conntrack/table/tuple_key.hpp"
#include "tests/unit/conntrack/table/table_fixture.hpp"

using namespace nsr;
using namespace nsr::conntrack;
using namespace nsr::conntrack::testing;

namespace {

// References whose hashes the test chooses.
struct Hashes final : HashSource {
    std::uint64_t hash_of(Reference reference) const override { return of.at(reference); }
    void prefetch(Reference /*reference*/) const override {}

    std::map<Reference, std::uint64_t> of;
};

bool holds(const Index& index, std::uint64_t hash, Reference reference) {
    return index.find(hash, [&](Reference found) { return found == reference; }).has_value();
}

}  // namespace

TEST_CASE("index line: a tag is found in every slot and nowhere else") {
    IndexLine line{};
    CHECK(line.matching(0) == 0xfff);
    for (unsigned slot = 0; slot < IndexLine::kSlots; ++slot) {
        for (const unsigned tag : {1u, 2u, 0x7fu, 0x80u, 0x81u, 0xffu}) {
            line.tags.fill(static_cast<std::uint8_t>(tag ^ 1));
            line.tags[slot] = static_cast<std::uint8_t>(tag);
            CHECK(line.matching(static_cast<std::uint8_t>(tag)) == 1u << slot);
            CHECK(line.matching(static_cast<std::uint8_t>(tag ^ 1)) == (0xfffu & ~(1u << slot)));
        }
    }
}

TEST_CASE("index: references of one home line push each other on, around the end") {
    Hashes hashes;
    const auto memory = anonymous_memory();
    Index index(hashes, *memory, 4);
    const std::uint64_t last_home = 0xffffffff00000001;
    for (Reference i = 0; i < 36; ++i) {
        hashes.of[i] = last_home;
        REQUIRE(index.insert(last_home, i));
    }
    for (Reference i = 0; i < 36; i += 2) {
        index.erase(last_home, i);
    }
    for (Reference i = 0; i < 36; ++i) {
        CHECK(holds(index, last_home, i) == (i % 2 == 1));
    }
    for (Reference i = 1; i < 36; i += 2) {
        index.erase(last_home, i);
    }
    CHECK(index.references() == 0);
    CHECK_FALSE(index.find(last_home, [](Reference) { return true; }));
}

TEST_CASE("index: nothing is lost at any moment of growing and shrinking, whatever the hashes") {
    for (const bool skewed : {false, true}) {
        CAPTURE(skewed);
        Hashes hashes;
        const auto memory = anonymous_memory();
        Index index(hashes, *memory, 4);
        RandomSource random(7);
        std::vector<Reference> alive;
        bool moved_while_found = false;
        const auto check_all = [&] {
            for (const Reference reference : alive) {
                REQUIRE(holds(index, hashes.of[reference], reference));
            }
            moved_while_found = moved_while_found || index.resizing();
        };
        for (Reference i = 0; i < 3000; ++i) {
            hashes.of[i] = skewed ? random.next64() | 0xe000000000000000 : random.next64();
            REQUIRE(index.insert(hashes.of[i], i));
            alive.push_back(i);
            if (i % 97 == 0) {
                check_all();
            }
        }
        const std::uint32_t most = index.lines();
        while (alive.size() > 1) {
            std::swap(alive[random.below(static_cast<std::uint32_t>(alive.size()))], alive.back());
            index.erase(hashes.of[alive.back()], alive.back());
            alive.pop_back();
            if (alive.size() % 97 == 0) {
                check_all();
            }
        }
        check_all();
        CHECK(moved_while_found);
        CHECK(index.references() == alive.size());
        CHECK(index.lines() < most / 4);
    }
}

TEST_CASE("index: a change does only a bit of the work of growing") {
    Hashes hashes;
    const auto memory = anonymous_memory();
    Index index(hashes, *memory, 1000);
    RandomSource random(7);
    Reference next = 0;
    const auto insert = [&] {
        hashes.of[next] = random.next64();
        REQUIRE(index.insert(hashes.of[next], next));
        ++next;
    };
    while (!index.resizing()) {
        insert();
    }
    unsigned changes = 0;
    for (; index.resizing(); ++changes) {
        insert();
    }
    CHECK(changes > 400);
    CHECK(index.lines() < 1500);
}

// Memory that is fetched when the test says so.
struct SlowMemory final : Memory {
    void* block(unsigned, std::size_t, std::size_t) override { return nullptr; }
    bool ready(std::size_t bytes) override {
        asked = bytes;
        return is_ready;
    }
    std::size_t asked = 0;
    bool is_ready = false;
};

TEST_CASE("index: memory that is not there yet is waited for, but not until nothing has room") {
    Hashes hashes;
    SlowMemory memory;
    Index index(hashes, memory, 1000);
    RandomSource random(7);
    const auto insert_until = [&](auto&& done) {
        while (!done()) {
            const Reference next = index.references();
            hashes.of[next] = random.next64();
            REQUIRE(index.insert(hashes.of[next], next));
        }
    };
    insert_until([&] { return index.references() == 10'500; });
    CHECK(memory.asked > 1000 * sizeof(IndexLine));
    CHECK_FALSE(index.resizing());
    insert_until([&] { return index.resizing(); });
    CHECK(index.references() == 11'001);
    insert_until([&] { return !index.resizing(); });
    CHECK(index.lines() > 1000);

    index.set_minimum(5000);
    CHECK_FALSE(index.resizing());
    memory.is_ready = true;
    index.settle();
    CHECK(index.resizing());
    CHECK(memory.asked == 5000 * sizeof(IndexLine));
    for (const auto& [reference, hash] : hashes.of) {
        CHECK(holds(index, hash, reference));
    }
}

TEST_CASE("hash: the two tuples of an untranslated connection hash alike, others do not") {
    const TupleHash hash(kKey);
    const auto of = [&](const Tuple& tuple, Zone zone = 0) { return hash(key_of(tuple, zone)); };
    const Tuple four = tcp({inside(2), 40000}, {outside(7), 80});
    const Tuple six = udp({IpAddress::v6(1, 2, 3, 4), 5}, {IpAddress::v6(1, 2, 3, 3), 60000});
    const Tuple ping = echo(inside(2), outside(7), 77);
    for (const Tuple& tuple : {four, six, ping}) {
        CHECK(of(tuple) == of(reversed(tuple)));
        CHECK(of(tuple) != of(tuple, 1));
        CHECK(of(tuple) != TupleHash({1, 2})(key_of(tuple, 0)));
        Tuple other = tuple;
        other.protocol = proto::kSctp;
        CHECK(of(tuple) != of(other));
    }
    Tuple crossed = four;
    std::swap(crossed.source_port, crossed.destination_port);
    CHECK(of(four) != of(crossed));
    const Tuple code{inside(2), outside(7), 77, 0x0801, proto::kIcmp};
    CHECK(of(ping) != of(code));
}

TEST_CASE("hash: flows of one client to one server spread over lines and tags") {
    const TupleHash hash(kKey);
    std::vector<unsigned> lines(512);
    std::vector<unsigned> tags(256);
    for (std::uint32_t port = 0; port < 0x10000; ++port) {
        const Tuple tuple = udp({inside(2), static_cast<std::uint16_t>(port)}, {outside(7), 53});
        const std::uint64_t value = hash(key_of(tuple, 0));
        ++lines[value >> 55];
        ++tags[value & 0xff];
    }
    // 128 expected in a line, 256 of a tag; six standard deviations.
    CHECK(*std::max_element(lines.begin(), lines.end()) < 128 + 68);
    CHECK(*std::min_element(lines.begin(), lines.end()) > 128 - 68);
    CHECK(*std::max_element(tags.begin(), tags.end()) < 256 + 96);
    CHECK(*std::min_element(tags.begin(), tags.end()) > 256 - 96);
}
