#include "core/nat/source_index.hpp"

#include <doctest/doctest.h>

#include <array>
#include <vector>

#include "tests/support/writable.hpp"
#include "tests/unit/nat/nat_fixture.hpp"

using namespace nsr;
using conntrack::Tuple;
using nat::Source;
using nat::SourceIndex;
using nsr::test::LogLines;
using nsr::test::writable_table;

namespace {

struct Records {
    RandomSource random{1};
    LogLines silent;
    conntrack::Conntrack conntrack{conntrack::Settings{}, {{1, 2}, silent, nullptr}};
    SourceIndex index{conntrack, {1, 2}};

    ConnId add(std::uint32_t host, Port port, std::uint32_t destination = 1) {
        const ConnId id = *writable_table(conntrack).allocate();
        Tuple tuple{IpAddress::v4(0x0a000000 + host), IpAddress::v4(destination), port, 53,
                    proto::kUdp};
        REQUIRE(writable_table(conntrack).set_tuple(id, Direction::Original, tuple));
        index.insert(id);
        return id;
    }
    std::vector<ConnId> all(std::uint32_t host, Port port) const {
        std::vector<ConnId> found;
        CHECK_FALSE(index.find_if(source(host, port), [&](ConnId id) {
            found.push_back(id);
            return false;
        }));
        return found;
    }
    static Source source(std::uint32_t host, Port port) {
        return {IpAddress::v4(0x0a000000 + host), port, proto::kUdp, 0};
    }
};

}  // namespace

TEST_CASE_FIXTURE(Records, "the connections of a source come newest first") {
    const ConnId old = add(1, 4000, 100);
    add(2, 4000);
    const ConnId recent = add(1, 4000, 101);
    CHECK(index.find(source(1, 4000)) == recent);
    CHECK(all(1, 4000) == std::vector{recent, old});
    CHECK_FALSE(index.find(source(1, 4001)));
    CHECK_FALSE(index.find({source(1, 4000).address, 4000, proto::kTcp, 0}));
    CHECK_FALSE(index.find({source(1, 4000).address, 4000, proto::kUdp, 7}));
}

TEST_CASE_FIXTURE(Records, "an erased connection is not found, its neighbours are") {
    const ConnId old = add(1, 4000, 100);
    const ConnId middle = add(1, 4000, 101);
    const ConnId recent = add(1, 4000, 102);
    index.erase(middle);
    index.erase(middle);
    CHECK(index.size() == 2);
    CHECK(all(1, 4000) == std::vector{recent, old});
}

TEST_CASE_FIXTURE(Records, "each connection of a source is asked about once") {
    for (std::uint32_t i = 0; i < 3000; ++i) {
        add(1, 4000, i);
    }
    std::size_t asked = 0;
    CHECK_FALSE(index.find_if(source(1, 4000), [&](ConnId) { return ++asked == 0; }));
    CHECK(asked == 3000);
}

TEST_CASE_FIXTURE(Records,
                  "chains stay in order whichever connection leaves them, also while they split") {
    std::array<std::vector<ConnId>, 7> expected;
    std::uint32_t dice = 1;
    for (std::uint32_t step = 0; step < 4000; ++step) {
        dice = dice * 1664525 + 1013904223;
        const std::uint32_t host = (dice >> 8) % 7;
        std::vector<ConnId>& mine = expected[host];
        if ((dice >> 16) % 3 != 0 || mine.empty()) {
            mine.insert(mine.begin(), add(host, 4000, step));
        } else {
            const auto at = mine.begin() + static_cast<std::ptrdiff_t>((dice >> 20) % mine.size());
            index.erase(*at);
            writable_table(conntrack).erase(*at);
            mine.erase(at);
        }
    }
    std::size_t count = 0;
    for (std::uint32_t host = 0; host < 7; ++host) {
        CHECK(all(host, 4000) == expected[host]);
        count += expected[host].size();
    }
    CHECK(index.size() == count);
}

TEST_CASE_FIXTURE(Records, "thousands are found while the index grows, in small memory") {
    std::vector<ConnId> ids;
    for (std::uint32_t i = 0; i < 5000; ++i) {
        ids.push_back(add(i, 1000));
        CHECK(index.find(source(i / 2, 1000)) == ids[i / 2]);
    }
    for (std::uint32_t i = 0; i < 5000; ++i) {
        CHECK(index.find(source(i, 1000)) == ids[i]);
    }
    CHECK(index.bytes_in_use() <= 5000 * 11);
    for (std::uint32_t i = 0; i < 5000; i += 2) {
        index.erase(ids[i]);
    }
    CHECK(index.size() == 2500);
    CHECK_FALSE(index.find(source(2, 1000)));
    CHECK(index.find(source(3, 1000)) == ids[3]);
}
