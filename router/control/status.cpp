#include "router/control/status.hpp"

#include <boost/json.hpp>
#include <cmath>

#include "core/procfs/table_size.hpp"
#include "router/control/controls.hpp"
#include "router/control/devices.hpp"
#include "router/control/event_ring.hpp"
#include "router/control/tracking_module.hpp"
#include "router/ports/spin.hpp"

namespace nsr::router {
namespace {

namespace json = boost::json;

#ifdef NDEBUG
constexpr const char* kBuild = "release";
#else
constexpr const char* kBuild = "debug";
#endif

json::value offload_of(const std::vector<const Port*>& ports) {
    if (ports.empty() || !ports.front()->capabilities().gso_tcp) {
        return "off";
    }
    if (!ports.front()->capabilities().gso_udp) {
        return "tso";
    }
    return "tso+uso";
}

json::object counters_of(const routing::Interface& interface, const Device& device,
                         const QueueLosses& queue_losses) {
    const routing::InterfaceCounters& c = interface.counters;
    json::object out{{"rx_packets", c.rx_packets}, {"rx_bytes", c.rx_bytes},
                     {"rx_dropped", c.rx_dropped}, {"tx_packets", c.tx_packets},
                     {"tx_bytes", c.tx_bytes},     {"tx_dropped", c.tx_dropped}};
    if (device.ports.empty()) {
        return out;
    }
    const Port::Counters sum = device.counters();
    out["malformed_frames"] = sum.malformed_frames;
    out["failed_writes"] = sum.failed_writes;
    out["merged_packets"] = sum.merged_packets;
    if (const auto dropped = queue_losses.of(interface.index)) {
        out["queue_dropped"] = *dropped;
    }
    return out;
}

json::array interfaces_of(const Controls& controls, const QueueLosses& queue_losses) {
    json::array out;
    for (const routing::Interface& interface : controls.router.interfaces().all()) {
        const Device device = device_of(controls, interface);
        json::array addresses;
        for (const Prefix& address : interface.addresses) {
            addresses.emplace_back(to_string(address));
        }
        out.push_back(json::object{{"name", interface.name},
                                   {"index", raw(interface.index)},
                                   {"device", device.name},
                                   {"netns", device.netns},
                                   {"host", interface.host},
                                   {"up", interface.up},
                                   {"mtu", interface.mtu},
                                   {"addresses", std::move(addresses)},
                                   {"offload", offload_of(device.ports)},
                                   {"counters", counters_of(interface, device, queue_losses)}});
    }
    return out;
}

json::object table_of(const Controls& controls) {
    const conntrack::Conntrack& conntrack = controls.router.conntrack();
    const conntrack::Table& table = conntrack.table();
    const std::uint64_t in_use = controls.router.table_bytes();
    const std::uint64_t count = controls.router.connections();
    const std::uint64_t max = conntrack.settings().max;
    json::object out{{"active", controls.router.tracking_active()},
                     {"mode", name_of(controls.router.tracking_mode())},
                     {"count", count},
                     {"max", max},
                     {"buckets", table.buckets()},
                     {"bytes_per_entry", procfs::kBytesPerEntry},
                     {"bytes_in_use", in_use},
                     {"bytes_at_max", max * procfs::kBytesPerEntry}};
    const Pressure::Note now{controls.clock.now(), count};
    if (const auto growth = controls.pressure.growth(now)) {
        out["growth_per_minute"] = std::llround(*growth * 60);
    }
    if (const auto full_in = controls.pressure.full_in(now, max)) {
        out["full_in_seconds"] = std::chrono::duration_cast<std::chrono::seconds>(*full_in).count();
    }
    return out;
}

std::int64_t microseconds(Duration time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

// How many turns were within each bound, and not within the one before it; "more": the others.
json::object histogram_of(const TurnHistogram& turns) {
    json::object buckets;
    for (std::size_t i = 0; i < TurnHistogram::kBounds.size(); ++i) {
        buckets[std::to_string(microseconds(TurnHistogram::kBounds[i]))] = turns.in(i);
    }
    buckets["more"] = turns.in(TurnHistogram::kBounds.size());
    return {{"turns", turns.count()},
            {"total_us", microseconds(turns.sum())},
            {"longest_us", microseconds(turns.worst())},
            {"over_1ms", turns.longer_than(TurnHistogram::kOneMillisecond)},
            {"within_us", std::move(buckets)}};
}

json::object loop_of(const Turns& turns) {
    return {{"packets", histogram_of(turns.packets)},
            {"timers", histogram_of(turns.timers)},
            {"timers_cpu", histogram_of(turns.timers_cpu)},
            {"control", histogram_of(turns.control)},
            {"control_cpu", histogram_of(turns.control_cpu)}};
}

json::object spins_of(const Spin& spin) {
    json::object out;
    for (std::size_t end = 0; end < kSpinEnds.size(); ++end) {
        out[kSpinEnds[end]] = spin.ended(static_cast<SpinEnd>(end));
    }
    return out;
}

// As the configuration writes it.
std::string spin_in_words(Duration spin) {
    if (spin == kSpinBusy) {
        return "busy";
    }
    return spin == Duration{} ? "off" : std::to_string(microseconds(spin)) + "us";
}

json::object ring_of(const OptionalRing::State& ring) {
    return {{"in_use", ring.in_use},
            {"refused", ring.refused},
            {"frames", ring.frames},
            {"calls", ring.calls}};
}

// What each has handed over to others, in their order; nothing of one alone.
json::array shards_of(const Controls& controls) {
    json::array out;
    if (controls.others != nullptr) {
        for (const auto& [connections, link] : controls.others->reports()) {
            out.push_back(json::object{{"connections", connections},
                                       {"handed_over", link.packets_out},
                                       {"received", link.packets_in},
                                       {"lost", link.lost},
                                       {"claims", link.claims_out}});
        }
    }
    return out;
}

json::object drops_of(const Controls& controls) {
    json::object out;
    const DropCounters& drops = controls.router.drops();
    for (const DropReasonRow& row : kDropReasons) {
        const std::uint64_t count = drops.of(row.reason);
        if (count != 0) {
            out[row.name] = count;
        }
    }
    return out;
}

json::object events_of(const EventRing& events) {
    const Held& held = events.held();
    return {{"readers", events.readers()},
            {"held", held.next - held.first},
            {"next", held.next},
            {"bytes_in_use", events.bytes_in_use()}};
}

// "3.542"
std::string decimal_seconds(std::chrono::nanoseconds time) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
    const std::string fraction = std::to_string(ms % 1000 + 1000);
    return std::to_string(ms / 1000) + "." + fraction.substr(1);
}

}  // namespace

Status::Status(const Controls& controls, const EventRing& events)
    : controls_(controls), events_(events), queue_losses_(controls) {
}

bool Status::advance(Instant now, std::string& out) {
    if (queue_losses_.advance()) {
        return true;
    }
    const Controls& controls = controls_;
    const json::object status{{"name", controls.config.name},
                              {"version", NSR_VERSION},
                              {"build", kBuild},
                              {"config", controls.config.path},
                              {"interfaces", interfaces_of(controls, queue_losses_)},
                              {"conntrack", table_of(controls)},
                              {"events", events_of(events_)},
                              {"memory_limit_bytes", controls.memory_limit_bytes},
                              {"loop", loop_of(controls.engine.turns())},
                              {"spin", spin_in_words(controls.config.spin)},
                              {"coalesce", controls.config.coalesce},
                              {"spins", spins_of(controls.engine.spin())},
                              {"ring", ring_of(controls.engine.ring().state())},
                              {"shards", shards_of(controls)},
                              {"drops", drops_of(controls)}};
    // Boost.JSON writes every fraction with an exponent.
    out += "{\"uptime_seconds\":" + decimal_seconds(now - controls.started) + "," +
           json::serialize(status).substr(1) + "\n";
    return false;
}

}  // namespace nsr::router
