// A packet of an established flow takes nothing from the heap on its whole way through the router:
// what it needs was there before, in the buffers of the batch.
#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <memory>

#include "tests/support/busy_router.hpp"
#include "tests/unit/allocations/counted_new.hpp"

namespace {

using namespace nsr;
using namespace nsr::bench;

constexpr unsigned kBatches = 1000;

void pass_batches(BusyRouter& busy, unsigned batches) {
    for (unsigned i = 0; i < batches; ++i) {
        busy.pass_batch();
    }
}

// In steady state: vectors have grown to what a batch needs.
test::Allocations taken_by_batches(BusyRouter& busy) {
    pass_batches(busy, kBatches);
    const test::AllocationCount count;
    pass_batches(busy, kBatches);
    return count.taken();
}

void expect_none(const test::Allocations& taken) {
    CAPTURE(taken.first_bytes);
    CHECK(taken.count == 0);
}

}  // namespace

TEST_CASE("allocations: new is counted") {
    const test::AllocationCount count;
    const auto one = std::make_unique<std::array<char, 300>>();
    CHECK(count.taken().count == 1);
    CHECK(count.taken().first_bytes == 300);
}

TEST_CASE("allocations: none for established flows through NAT and twenty rules") {
    for (const Transport transport : {Transport::Udp, Transport::Tcp}) {
        for (const std::size_t batch : {1, 32}) {
            CAPTURE(transport);
            CAPTURE(batch);
            BusyRouter busy({.kind = {.transport = transport}});
            REQUIRE(busy.all_established());
            busy.batch_size = batch;
            const std::size_t before = busy.left;
            expect_none(taken_by_batches(busy));
            CHECK(busy.left == before + std::size_t{2} * kBatches * batch);
        }
    }
}

TEST_CASE("allocations: none for walks that are not remembered") {
    BusyRouter busy({.kind = {.masqueraded = false},
                     .rules = "*filter\n-A FORWARD -m length --length 0:20 -j DROP\n"
                              "-A FORWARD -p udp -j ACCEPT\nCOMMIT\n"});
    REQUIRE(busy.all_established());
    expect_none(taken_by_batches(busy));
}

TEST_CASE("allocations: none for tracking alone") {
    BusyRouter busy({.kind = {.masqueraded = false}, .rules = "*filter\nCOMMIT\n"});
    REQUIRE(busy.all_established());
    expect_none(taken_by_batches(busy));
}

TEST_CASE("allocations: none for packets that are kept in the ring") {
    BusyRouter busy({});
    busy.router.history().resize(std::size_t{64} << 10);
    expect_none(taken_by_batches(busy));
}

TEST_CASE("allocations: none for packets that a rule refuses and the recorder keeps") {
    BusyRouter busy({});
    busy.refuse_all();
    expect_none(taken_by_batches(busy));
    CHECK(busy.router.recorder().size() > 0);
}
