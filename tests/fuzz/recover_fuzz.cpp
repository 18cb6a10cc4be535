// The memory of a killed router's table with bytes of it changed at will: what recover() takes in
// must be found, printed, tracked, and in the end expire; the rest is free to be used again.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/check.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/packet/dissect.hpp"
#include "core/procfs/nf_conntrack.hpp"
#include "tests/fuzz/support/connections.hpp"
#include "tests/fuzz/support/input.hpp"
#include "tests/fuzz/support/mapped_memory.hpp"
#include "tests/support/packet_builder.hpp"

namespace {

using namespace nsr;
using fuzz::kLiveNow;

constexpr std::size_t kUsedBytes = 4096;  // of each block; nothing was ever written behind

struct NoLog final : LogSink {
    void log(Instant, LogLevel, std::string_view) override {}
};

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

void track_some(conntrack::Conntrack& conntrack) {
    BufferPool pool;
    using test::ping, test::tcp, test::udp;
    for (const test::PacketBuilder& builder :
         {tcp("10.0.0.2:1000", "198.51.100.7:80").ack(5000).seq(1000),
          tcp("198.51.100.7:80", "192.0.2.1:1000").rst().seq(5000),
          udp("198.51.100.7:53", "10.0.0.2:1000"), ping("10.0.0.2", "198.51.100.7"),
          udp("[2001:db8:7::7]:53", "[fd00:1::2]:1000"), udp("10.0.0.3:9", "198.51.100.9:9")}) {
        Packet packet = builder.packet(pool);
        NSR_CHECK(dissect(packet).accepted());
        if (conntrack.track(packet, kLiveNow).accepted()) {
            static_cast<void>(conntrack.confirm(packet, kLiveNow));
        }
    }
}

void check_lines(const conntrack::Conntrack& conntrack) {
    const std::string text = procfs::conntrack_snapshot(conntrack, kLiveNow);
    NSR_CHECK(static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) ==
              conntrack.table().size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const std::unique_ptr<fuzz::MappedFile> before = left_behind();
    static const auto file = std::make_unique<fuzz::MappedFile>();
    *file = *before;
    fuzz::Input in(data, size);
    const Jiffies shift = in.pair() * 1000u;
    apply_patches(in, *file);
    NoLog log;
    conntrack::Conntrack conntrack(
        conntrack::Settings{}, {{3, 4}, log, std::make_unique<fuzz::MappedMemory>(*file, true)});
    conntrack.set_active(Family::Ipv4, true, kLiveNow);
    conntrack.set_active(Family::Ipv6, true, kLiveNow);
    const std::size_t alive = conntrack.recover(kLiveNow, shift);
    NSR_CHECK(alive == conntrack.table().size() && (size != 0 || alive > 0));
    check_lines(conntrack);
    track_some(conntrack);
    check_lines(conntrack);
    const Instant later = kLiveNow + std::chrono::hours(24);
    while (!conntrack.expire(later)) {
    }
    conntrack.flush(later);
    NSR_CHECK(conntrack.table().size() == 0);
    track_some(conntrack);
    return 0;
}
