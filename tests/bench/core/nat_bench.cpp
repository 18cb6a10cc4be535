// What SNAT's search for a free port costs by how many of a pool's ports are taken: a connection
// comes whose own port is taken outside, gets another one, and goes again.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/base/log.hpp"
#include "core/conntrack/conntrack.hpp"
#include "core/nat/nat.hpp"
#include "core/nat/port_allocator.hpp"
#include "core/packet/dissect.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "tests/bench/core/filled_table.hpp"
#include "tests/support/busy_router.hpp"

namespace {

using namespace nsr;
using namespace nsr::bench;
using conntrack::Conntrack;

constexpr nat::PortSpan kPool = nat::kUnprivilegedPorts;

struct Silent final : LogSink {
    void log(Instant, LogLevel, std::string_view) override {}
};

nat::Range pool_of_one_address() {
    nat::Range range;
    nat::set_address(range, IpAddress::v4(kWanAddress));
    range.map_ports = true;
    range.min_port = static_cast<Port>(kPool.min);
    range.max_port = static_cast<Port>(kPool.min + kPool.size - 1);
    return range;
}

conntrack::Settings unlimited() {
    conntrack::Settings settings;
    settings.max = 0;
    return settings;
}

// Tracking and NAT alone; packets walk the hooks of a forwarding router.
struct PortPool {
    explicit PortPool(std::uint32_t taken) {
        conntrack.set_active(Family::Ipv4, true, now);
        for (const std::uint32_t port : shuffled(kPool.size)) {
            if (ports.size() == taken) {
                break;
            }
            ports.push_back(static_cast<Port>(kPool.min + port));
            connect(kNeighbour, ports.back());
        }
    }

    // Of the one datagram of a client that came by, whose connection is confirmed with it. Nothing:
    // no port was found.
    std::optional<ConnId> connect(std::uint32_t client, Port port) {
        Packet packet = datagram(client, port);
        if (conntrack.track(packet, now).accepted() && translate(packet) &&
            conntrack.confirm(packet, now).accepted()) {
            return packet.meta.conn;
        }
        conntrack.release(packet);
        return std::nullopt;
    }

    static constexpr std::uint32_t kNeighbour = 0x0a000002;
    static constexpr std::uint32_t kNewcomer = 0x0a000003;

    BufferPool pool;
    Silent silent;
    RandomSource random{1};
    Conntrack conntrack{unlimited(), {kTableKey, silent, memory_of(Pages::Huge)}};
    nat::Nat nat{conntrack, random, kTableKey};
    Instant now{std::chrono::seconds(1000)};
    std::vector<Port> ports;  // that are taken

  private:
    Packet datagram(std::uint32_t client, Port port) {
        const Frame frame = opening({}, 0, 0);
        Packet packet(pool, frame.view());
        wire::store32(packet.data() + 12, client);
        wire::store16(packet.data() + 20, port);
        wire::store16(packet.data() + 10, 0);
        wire::store16(packet.data() + 10, wire::checksum({packet.data(), 20}));
        static_cast<void>(dissect(packet));
        packet.meta.out = kWan;
        return packet;
    }
    bool translate(Packet& packet) {
        return nat.bind(packet, nat::Manip::Destination, {}, RuleId::None, now).accepted() &&
               nat.apply(packet, Hook::Prerouting, now).accepted() &&
               nat.bind(packet, nat::Manip::Source, range_, RuleId::None, now).accepted() &&
               nat.apply(packet, Hook::Postrouting, now).accepted();
    }

    nat::Range range_ = pool_of_one_address();
};

void nat_port_search(benchmark::State& state) {
    const auto taken = static_cast<std::uint32_t>(kPool.size * state.range(0) / 1000);
    PortPool pool(taken);
    std::int64_t refused = 0;
    std::size_t at = 0;
    for (auto _ : state) {
        const Port port = pool.ports.empty() ? Port{40000} : pool.ports[at++ % pool.ports.size()];
        const auto id = pool.connect(PortPool::kNewcomer, port);
        if (id) {
            pool.conntrack.destroy(*id, pool.now);
        } else {
            ++refused;
        }
    }
    state.SetItemsProcessed(state.iterations());
    state.counters["refused"] =
        benchmark::Counter(static_cast<double>(refused), benchmark::Counter::kAvgIterations);
}
BENCHMARK(nat_port_search)
    ->ArgName("taken_of_1000")
    ->Arg(0)
    ->Arg(500)
    ->Arg(900)
    ->Arg(990)
    ->Arg(999)
    ->Arg(1000);

}  // namespace
