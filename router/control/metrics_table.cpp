// The metrics, a row each, and how each is read.
#include <iterator>

#include "core/conntrack/names.hpp"
#include "core/procfs/nat_ports.hpp"
#include "core/procfs/table_size.hpp"
#include "core/sets/sets.hpp"
#include "router/control/controls.hpp"
#include "router/control/devices.hpp"
#include "router/control/metrics.hpp"
#include "router/control/metrics_loop.hpp"
#include "router/control/pressure.hpp"

namespace nsr::router {
namespace {

using procfs::NatPorts;
using Source = Metrics::Source;
using routing::Interface;

std::string_view name_of(Family family) {
    return family == Family::Ipv6 ? "ipv6" : "ipv4";
}

constexpr Family kFamilies[] = {Family::Ipv4, Family::Ipv6};

// --- connection tracking ------------------------------------------------------------------------

template <std::uint64_t conntrack::Stats::*kCount>
void read_stat(const Source& source, Samples& samples) {
    samples.add(source.controls.router.conntrack().stats().*kCount);
}

void read_entries(const Source& source, Samples& samples) {
    samples.add(source.controls.router.connections());
}

void read_entries_limit(const Source& source, Samples& samples) {
    samples.add(source.controls.router.conntrack().settings().max);
}

// kernel: the column `ignore` of /proc/net/stat/nf_conntrack, which is always 0
void read_ignored(const Source& /*source*/, Samples& samples) {
    samples.add(0);
}

void read_stats(const Source& source, Samples& samples) {
    const conntrack::Stats& stats = source.controls.router.conntrack().stats();
    const std::pair<std::string_view, std::uint64_t> rows[] = {
        {"found", stats.found},
        {"invalid", stats.invalid},
        {"insert", stats.insert},
        {"insert_failed", stats.insert_failed},
        {"drop", stats.drop},
        {"early_drop", stats.early_drop},
        {"icmp_error", stats.icmp_error},
        {"search_restart", stats.search_restart},
        {"clash_resolve", stats.clashres},
        {"chaintoolong", stats.chaintoolong},
        {"expect_new", stats.expect_new},
        {"expect_create", stats.expect_create},
        {"expect_delete", stats.expect_delete}};
    for (const auto& [name, count] : rows) {
        samples.add({{"stat", name}}, count);
    }
}

void read_active(const Source& source, Samples& samples) {
    for (const Family family : kFamilies) {
        samples.add({{"family", name_of(family)}},
                    source.controls.router.conntrack().active(family) ? 1 : 0);
    }
}

void read_buckets(const Source& source, Samples& samples) {
    samples.add(source.controls.router.conntrack().table().buckets());
}

void read_table_bytes(const Source& source, Samples& samples) {
    samples.add(source.controls.router.table_bytes());
}

void read_table_bytes_at_max(const Source& source, Samples& samples) {
    samples.add(source.controls.router.conntrack().settings().max * procfs::kBytesPerEntry);
}

Pressure::Note pressure_now(const Source& source) {
    return {source.controls.clock.now(), source.controls.router.connections()};
}

void read_growth(const Source& source, Samples& samples) {
    if (const auto growth = source.controls.pressure.growth(pressure_now(source))) {
        samples.add_number({}, *growth);
    }
}

void read_full_in(const Source& source, Samples& samples) {
    const std::uint64_t max = source.controls.router.conntrack().settings().max;
    if (const auto full_in = source.controls.pressure.full_in(pressure_now(source), max)) {
        samples.add_seconds({}, *full_in);
    }
}

void read_expectations(const Source& source, Samples& samples) {
    samples.add(source.controls.router.conntrack().expectations().size());
}

void read_expectations_limit(const Source& source, Samples& samples) {
    samples.add(source.controls.router.conntrack().settings().expect_max);
}

// --- packets ------------------------------------------------------------------------------------

template <class Read>
void each_interface(const Source& source, const Read& read) {
    for (const Interface& interface : source.controls.router.interfaces().all()) {
        read(interface);
    }
}

template <std::uint64_t routing::InterfaceCounters::*kReceived,
          std::uint64_t routing::InterfaceCounters::*kSent>
void read_both_ways(const Source& source, Samples& samples) {
    each_interface(source, [&](const Interface& interface) {
        samples.add({{"interface", interface.name}, {"direction", "rx"}},
                    interface.counters.*kReceived);
        samples.add({{"interface", interface.name}, {"direction", "tx"}},
                    interface.counters.*kSent);
    });
}

template <std::uint64_t Port::Counters::*kCount>
void read_of_ports(const Source& source, Samples& samples) {
    each_interface(source, [&](const Interface& interface) {
        samples.add({{"interface", interface.name}},
                    device_of(source.controls, interface).counters().*kCount);
    });
}

void read_up(const Source& source, Samples& samples) {
    each_interface(source, [&](const Interface& interface) {
        samples.add({{"interface", interface.name}}, interface.up ? 1 : 0);
    });
}

void read_queue_dropped(const Source& source, Samples& samples) {
    each_interface(source, [&](const Interface& interface) {
        if (const auto dropped = source.queue_losses.of(interface.index)) {
            samples.add({{"interface", interface.name}}, *dropped);
        }
    });
}

void read_ways(const Source& source, Samples& samples) {
    for (const Family family : kFamilies) {
        const IpCounters& c = source.controls.router.counters(family);
        const std::pair<std::string_view, std::uint64_t> ways[] = {
            {"received", c.in_receives},
            {"delivered", c.in_delivers},
            {"forwarded", c.forw_datagrams},
            {"originated", c.out_requests},
            {"transmitted", c.out_transmits}};
        for (const auto& [way, count] : ways) {
            samples.add({{"family", name_of(family)}, {"way", way}}, count);
        }
    }
}

void read_hooks(const Source& source, Samples& samples) {
    for (const Family family : kFamilies) {
        for (unsigned i = 0; i < kHookCount; ++i) {
            const HookCounters& c = source.controls.router.counters(family).hooks[i];
            const std::pair<std::string_view, std::uint64_t> verdicts[] = {
                {"accept", c.packets - c.dropped - c.stolen},
                {"drop", c.dropped},
                {"stolen", c.stolen}};
            for (const auto& [verdict, count] : verdicts) {
                samples.add({{"family", name_of(family)},
                             {"hook", nsr::name_of(static_cast<Hook>(i))},
                             {"verdict", verdict}},
                            count);
            }
        }
    }
}

void read_drops(const Source& source, Samples& samples) {
    for (const Family family : kFamilies) {
        for (const DropReasonRow& row : kDropReasons) {
            samples.add({{"family", name_of(family)}, {"reason", row.name}},
                        source.controls.router.drops().of(family, row.reason));
        }
    }
}

void read_reassembly(const Source& source, Samples& samples) {
    for (const Family family : kFamilies) {
        const defrag::Stats& stats = source.controls.router.defrag().stats(family);
        const std::pair<std::string_view, std::uint64_t> rows[] = {
            {"fragment", stats.requests},
            {"reassembled", stats.reassembled},
            {"failed", stats.failed},
            {"timeout", stats.timeouts}};
        for (const auto& [event, count] : rows) {
            samples.add({{"family", name_of(family)}, {"event", event}}, count);
        }
    }
}

void read_reassembly_bytes(const Source& source, Samples& samples) {
    for (const Family family : kFamilies) {
        samples.add({{"family", name_of(family)}},
                    source.controls.router.defrag().bytes_in_use(family));
    }
}

// --- NAT, rules and sets ------------------------------------------------------------------------

void read_mappings(const Source& source, Samples& samples) {
    samples.add(source.controls.router.nat().mappings().all().size());
}

void read_translated(const Source& source, Samples& samples) {
    samples.add(source.ports.translated());
}

template <std::size_t NatPorts::Row::*kCount>
void read_nat_ports(const Source& source, Samples& samples) {
    std::size_t shown = 0;
    for (const NatPorts::Row& row : source.ports.rows()) {
        if (++shown > kMostNatPools) {
            return;
        }
        samples.add({{"address", to_string(row.address)},
                     {"protocol", conntrack::protocol_name(row.protocol)},
                     {"range", std::to_string(row.first) + "-" + std::to_string(row.last)}},
                    row.*kCount);
    }
}

void read_nat_bytes(const Source& source, Samples& samples) {
    samples.add(source.controls.router.nat().bytes_in_use());
}

void read_rules(const Source& source, Samples& samples) {
    const rules::Ruleset& ruleset = source.controls.router.ruleset();
    for (const Family family : kFamilies) {
        for (std::size_t id = 0; id < rules::kTableCount; ++id) {
            const rules::Table& table = ruleset.table(family, static_cast<rules::TableId>(id));
            std::uint64_t count = 0;
            for (const rules::Chain& chain : table.chains) {
                count += chain.rules.size();
            }
            samples.add({{"family", name_of(family)},
                         {"table", rules::name_of(static_cast<rules::TableId>(id))}},
                        count);
        }
    }
}

void read_sets(const Source& source, Samples& samples) {
    samples.add(source.controls.router.sets().all().size());
}

void read_set_elements(const Source& source, Samples& samples) {
    const sets::Sets& sets = source.controls.router.sets();
    std::size_t shown = 0;
    for (const sets::SetId id : sets.all()) {
        if (++shown > kMostSets) {
            return;
        }
        samples.add({{"set", sets.name_of(id)}}, sets.get(id).size());
    }
}

void read_sets_bytes(const Source& source, Samples& samples) {
    samples.add(source.controls.router.sets().bytes());
}

// --- the process --------------------------------------------------------------------------------

#ifdef NDEBUG
constexpr std::string_view kBuild = "release";
#else
constexpr std::string_view kBuild = "debug";
#endif

void read_build(const Source& /*source*/, Samples& samples) {
    samples.add({{"version", NSR_VERSION}, {"build", kBuild}}, 1);
}

void read_uptime(const Source& source, Samples& samples) {
    samples.add_seconds({}, source.now - source.controls.started);
}

void read_process_time(const Source& /*source*/, Samples& samples) {
    samples.add_seconds({}, process_time());
}

void read_connections(const Source& source, Samples& samples) {
    if (source.controls.clients) {
        samples.add(source.controls.clients());
    }
}

void read_log_lines(const Source& source, Samples& samples) {
    samples.add(source.controls.log.lines());
}

void read_log_lost(const Source& source, Samples& samples) {
    samples.add(source.controls.log.lost());
}

using Counters = routing::InterfaceCounters;
using Stat = conntrack::Stats;

// clang-format off
constexpr Metrics::Row kRows[] = {
    {"node_nf_conntrack_entries", "gauge", "Entries of the connection table.", read_entries},
    {"node_nf_conntrack_entries_limit", "gauge", "Most entries; 0: no limit.", read_entries_limit},
    {"node_nf_conntrack_stat_found", "gauge", "Entries found where a new one was to be made.", read_stat<&Stat::found>},
    {"node_nf_conntrack_stat_invalid", "gauge", "Packets that could not be tracked.", read_stat<&Stat::invalid>},
    {"node_nf_conntrack_stat_ignore", "gauge", "Always 0, as in the kernel.", read_ignored},
    {"node_nf_conntrack_stat_insert", "gauge", "Entries that were inserted.", read_stat<&Stat::insert>},
    {"node_nf_conntrack_stat_insert_failed", "gauge", "Entries whose insertion failed.", read_stat<&Stat::insert_failed>},
    {"node_nf_conntrack_stat_drop", "gauge", "Packets dropped by tracking.", read_stat<&Stat::drop>},
    {"node_nf_conntrack_stat_early_drop", "gauge", "Entries evicted to make room.", read_stat<&Stat::early_drop>},
    {"node_nf_conntrack_stat_search_restart", "gauge", "Searches that began again.", read_stat<&Stat::search_restart>},
    {"nsrouter_build_info", "gauge", "1, with the version.", read_build},
    {"nsrouter_uptime_seconds", "gauge", "Since the router was started.", read_uptime},
    {"nsrouter_cpu_seconds_total", "counter", "Processor time of the process.", read_process_time},
    {"nsrouter_interface_up", "gauge", "1: the interface is up.", read_up},
    {"nsrouter_interface_packets_total", "counter", "Packets by interface and direction, as the router sees it.",
     read_both_ways<&Counters::rx_packets, &Counters::tx_packets>},
    {"nsrouter_interface_bytes_total", "counter", "Bytes of IP packets.", read_both_ways<&Counters::rx_bytes, &Counters::tx_bytes>},
    {"nsrouter_interface_dropped_packets_total", "counter", "Packets that were not taken in, or not let out, by this interface.",
     read_both_ways<&Counters::rx_dropped, &Counters::tx_dropped>},
    {"nsrouter_interface_malformed_frames_total", "counter", "Frames whose virtio header contradicts their packet.",
     read_of_ports<&Port::Counters::malformed_frames>},
    {"nsrouter_interface_failed_writes_total", "counter", "Packets that the device did not take.", read_of_ports<&Port::Counters::failed_writes>},
    {"nsrouter_interface_merged_packets_total", "counter", "Packets that were written several at a time, as one super-packet.", read_of_ports<&Port::Counters::merged_packets>},
    {"nsrouter_interface_queue_dropped_packets_total", "counter", "Packets that the namespace sent while the queue of the device was full.",
     read_queue_dropped},
    {"nsrouter_ip_packets_total", "counter", "Packets by family and the way they took.", read_ways},
    {"nsrouter_hook_packets_total", "counter", "Packets by hook and what became of them there.", read_hooks},
    {"nsrouter_dropped_packets_total", "counter", "Packets dropped, by reason.", read_drops},
    {"nsrouter_conntrack_active", "gauge", "1: connections are tracked.", read_active},
    {"nsrouter_conntrack_stat_total", "counter", "What tracking counts, by the kernel's names.", read_stats},
    {"nsrouter_conntrack_buckets", "gauge", "Buckets of the index.", read_buckets},
    {"nsrouter_conntrack_memory_bytes", "gauge", "Memory of the connection table.", read_table_bytes},
    {"nsrouter_conntrack_memory_limit_bytes", "gauge", "What the most entries take.", read_table_bytes_at_max},
    {"nsrouter_conntrack_growth_entries_per_second", "gauge", "Growth of the table over the last minute.", read_growth},
    {"nsrouter_conntrack_full_in_seconds", "gauge", "Until the table is full, at this growth; absent: never.", read_full_in},
    {"nsrouter_expectations", "gauge", "Connections that helpers expect.", read_expectations},
    {"nsrouter_expectations_limit", "gauge", "Most of them.", read_expectations_limit},
    {"nsrouter_reassembly_total", "counter", "Fragments that came, and what became of their datagrams.", read_reassembly},
    {"nsrouter_reassembly_memory_bytes", "gauge", "Memory of incomplete datagrams.", read_reassembly_bytes, true},
    {"nsrouter_nat_mappings", "gauge", "Mappings of rules that say how their NAT behaves.", read_mappings},
    {"nsrouter_nat_translated_connections", "gauge", "Connections whose source is translated.", read_translated, true},
    {"nsrouter_nat_pool_ports_used", "gauge", "Of the first 500 ranges of ports or ids of outside addresses and protocols those in use.", read_nat_ports<&NatPorts::Row::used>, true},
    {"nsrouter_nat_pool_ports_free", "gauge", "Those of them that are free.", read_nat_ports<&NatPorts::Row::free>, true},
    {"nsrouter_nat_memory_bytes", "gauge", "Memory of NAT.", read_nat_bytes, true},
    {"nsrouter_rules", "gauge", "Rules by table.", read_rules},
    {"nsrouter_sets", "gauge", "Address sets.", read_sets},
    {"nsrouter_set_elements", "gauge", "Elements of the first 500 address sets.", read_set_elements},
    {"nsrouter_sets_memory_bytes", "gauge", "Memory of all sets.", read_sets_bytes},
    {"nsrouter_control_connections", "gauge", "Open connections of the control port.", read_connections},
    {"nsrouter_log_lines_total", "counter", "Lines of the log.", read_log_lines},
    {"nsrouter_log_lines_lost_total", "counter", "Lines that standard error had no room for.", read_log_lost},
    {"nsrouter_loop_turn_seconds", "histogram", "How long turns of the event loop took.", read_turns},
    {"nsrouter_loop_turn_cpu_seconds", "histogram", "The processor time of such turns.", read_turns_cpu},
    {"nsrouter_loop_longest_turn_seconds", "gauge", "The longest turn so far.", read_longest_turn},
    {"nsrouter_loop_longest_turn_cpu_seconds", "gauge", "The most processor time of a turn so far.", read_longest_turn_cpu},
    {"nsrouter_loop_spins_total", "counter", "How often the loop waited awake for packets, by how that ended.", read_spins},
    {"nsrouter_shards", "gauge", "Cores that share the flows.", read_shards},
    {"nsrouter_shard_handed_over_packets_total", "counter", "Packets that a shard read and that were of another one.", read_handed_over},
    {"nsrouter_shard_lost_packets_total", "counter", "Those of them for which there was no room.", read_lost_between},
    {"nsrouter_shard_claims_total", "counter", "Tuples that a shard claimed, or gave up, because their home is another one.", read_claims},
    {"nsrouter_ring_in_use", "gauge", "1: many frames are moved with one system call, by an io_uring; 0: each takes its own.", read_ring_in_use},
    {"nsrouter_ring_frames_total", "counter", "Frames that the io_uring has moved.", read_ring_frames},
    {"nsrouter_ring_calls_total", "counter", "System calls that this took.", read_ring_calls},
};
// clang-format on

}  // namespace

std::span<const Metrics::Row> Metrics::rows() {
    return kRows;
}

}  // namespace nsr::router
