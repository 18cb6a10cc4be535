#include "core/nat/source_index.hpp"

#include <doctest/doctest.h>

#include <vector>

#include "tests/unit/nat/nat_fixture.hpp"

using namespace nsr;
using conntrack::Tuple;
using nat::Source;
using nat::SourceIndex;
using nsr::test::SilentLog;

namespace {

struct Records {
    RandomSource random{1};
    SilentLog silent;
    conntrack::Conntrack conntrack{conntrack::Settings{}, {random, silent, nullptr}};
    SourceIndex index{conntrack, {1, 2}};

    ConnId add(std::uint32_t host, Port port, std::uint32_t destination = 1) {
        const ConnId id = *conntrack.table().allocate();
        Tuple tuple{IpAddress::v4(0x0a000000 + host), IpAddress::v4(destination), port, 53,
                    proto::kUdp};
        conntrack.table()[id].family = Family::Ipv4;
        conntrack.table()[id].protocol = proto::kUdp;
        REQUIRE(conntrack.table().set_tuple(id, Direction::Original, tuple));
        index.insert(id);
        return id;
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
    CHECK(index.find(source(1, 4000), recent) == old);
    CHECK_FALSE(index.find(source(1, 4000), old));
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
    CHECK(index.find(source(1, 4000)) == recent);
    CHECK(index.find(source(1, 4000), recent) == old);
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
