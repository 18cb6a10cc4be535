// The memory of a killed router's table with bytes of it changed at will: what recover() takes in
// is found by its tuples and expires; the rest is free to be used again.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/base/check.hpp"
#include "core/conntrack/table/table.hpp"
#include "core/wire/protocol.hpp"
#include "tests/fuzz/support/connections.hpp"
#include "tests/fuzz/support/input.hpp"
#include "tests/fuzz/support/mapped_memory.hpp"

namespace {

using namespace nsr;
using fuzz::kLiveNow;

constexpr std::size_t kUsedBytes = 4096;  // of each block; nothing was ever written behind

std::unique_ptr<fuzz::MappedFile> left_behind() {
    auto file = std::make_unique<fuzz::MappedFile>();
    fuzz::live_router(std::make_unique<fuzz::MappedMemory>(*file, false));
    for (const fuzz::MappedBlock& block : *file) {
        NSR_CHECK(std::all_of(block.bytes.begin() + kUsedBytes, block.bytes.end(),
                              [](std::uint8_t byte) { return byte == 0; }));
    }
    return file;
}

// Each patch: which arena, where, how long, what.
void apply_patches(fuzz::Input& in, fuzz::MappedFile& file) {
    while (!in.done()) {
        auto& block = file[in.byte() % fuzz::kArenas];
        const std::size_t at = in.pair() % kUsedBytes;
        const auto patch = in.bytes(std::min<std::size_t>(in.byte(), kUsedBytes - at));
        std::copy(patch.begin(), patch.end(),
                  block.bytes.begin() + static_cast<std::ptrdiff_t>(at));
    }
}

Zone zone_of(const conntrack::Table& table, ConnId id, Direction direction) {
    const conntrack::Connection& record = table[id];
    const conntrack::Extra* extra = table.extra(id);
    const bool counts = extra == nullptr || (direction == Direction::Original ? extra->zone_original
                                                                              : extra->zone_reply);
    return counts ? record.zone : Zone{0};
}

// Each is found where it is, or behind its deadline.
void check_found(const conntrack::Table& table, Jiffies now) {
    std::size_t count = 0;
    for (auto id = table.next(std::nullopt); id; id = table.next(id)) {
        ++count;
        for (const Direction direction : {Direction::Original, Direction::Reply}) {
            const auto hit =
                table.find(table.tuple(*id, direction), zone_of(table, *id, direction), now);
            NSR_CHECK(hit && hit->id == *id);
        }
    }
    NSR_CHECK(count == table.size());
}

// As many as three blocks could hold find no place twice.
void add_some(conntrack::Table& table, Jiffies now) {
    for (std::uint32_t host = 1; host < 40; ++host) {
        const IpAddress inside = IpAddress::v6(0xfd000002, 0, 0, host);
        const IpAddress outside = IpAddress::v6(0x20010db8, 7, 0, host);
        const auto id = table.allocate();
        NSR_CHECK(id);
        NSR_CHECK(table.set_tuple(*id, Direction::Original, {inside, outside, 1, 2, proto::kUdp}));
        NSR_CHECK(table.set_tuple(*id, Direction::Reply, {outside, inside, 2, 1, proto::kUdp}));
        NSR_CHECK(table.need_extra(*id) != nullptr);
        table[*id].deadline = now + kJiffiesPerSecond;
        NSR_CHECK(table.insert(*id, now));
    }
}

void expire_all(conntrack::Table& table, Jiffies now) {
    std::vector<ConnId> due;
    while (!table.collect_expired(now, 16, due)) {
        for (const ConnId id : due) {
            table.erase(id);
        }
        due.clear();
    }
    for (const ConnId id : due) {
        table.erase(id);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::unique_ptr<fuzz::MappedFile> before = left_behind();
    static const auto file = std::make_unique<fuzz::MappedFile>();
    *file = *before;
    fuzz::Input in(data, size);
    const Jiffies shift = in.pair() * 1000u;
    apply_patches(in, *file);
    const Jiffies now = to_jiffies(kLiveNow);
    conntrack::Table table({3, 4}, 64, std::make_unique<fuzz::MappedMemory>(*file, true));
    const std::size_t alive = table.recover(now, shift);
    NSR_CHECK(alive == table.size() && (size != 0 || alive > 0));
    check_found(table, now);
    add_some(table, now);
    check_found(table, now);
    expire_all(table, now + 1000 * kJiffiesPerSecond);
    check_found(table, now + 1000 * kJiffiesPerSecond);
    while (const auto id = table.next(std::nullopt)) {
        table.erase(*id);
    }
    NSR_CHECK(table.size() == 0);
    add_some(table, now);
    return 0;
}
