// The counters of the IP layer, by the names of RFC 4293. What this router does not count is 0.
#include <initializer_list>
#include <span>

#include "core/base/drop_reason.hpp"
#include "core/procfs/files.hpp"
#include "core/procfs/text.hpp"

namespace nsr::procfs {

namespace {

struct Row {
    std::string_view name;
    std::uint64_t value = 0;
};

// Two lines: names, then values.
void append_section(std::string& out, std::string_view title, std::span<const Row> rows);

std::uint64_t dropped(const Router& router, std::initializer_list<DropReason> reasons) {
    std::uint64_t sum = 0;
    for (const DropReason reason : reasons) {
        sum += router.drops().by_reason[static_cast<std::size_t>(reason)];
    }
    return sum;
}

std::uint64_t bad_headers(const Router& router) {
    using enum DropReason;
    return dropped(router, {TooShort, BadVersion, BadHeaderLength, BadHeaderChecksum, BadOption,
                            BadExtensionHeader, TtlExpired});
}

routing::InterfaceCounters sum_of_interfaces(const Router& router) {
    routing::InterfaceCounters sum;
    for (const routing::Interface& interface : router.interfaces().all()) {
        sum.rx_packets += interface.counters.rx_packets;
        sum.rx_bytes += interface.counters.rx_bytes;
        sum.tx_packets += interface.counters.tx_packets;
        sum.tx_bytes += interface.counters.tx_bytes;
    }
    return sum;
}

}  // namespace

// kernel: snmp_seq_show
std::string read_snmp(const Context& context, Instant /*now*/) {
    Router& router = context.router;
    const routing::InterfaceCounters traffic = sum_of_interfaces(router);
    const defrag::Stats& reassembly = router.defrag().stats(Family::Ipv4);
    const std::uint64_t forwarding = router.forwarding().ip_forward != 0 ? 1 : 2;
    using enum DropReason;
    const Row ip[] = {
        {"Forwarding", forwarding},
        {"DefaultTTL", router.forwarding().ip_default_ttl},
        {"InReceives", traffic.rx_packets},
        {"InHdrErrors", bad_headers(router)},
        {"InAddrErrors", dropped(router, {MartianSource, MartianDestination, NotForwardable})},
        {"ForwDatagrams"},
        {"InUnknownProtos"},
        {"InDiscards", dropped(router, {BadTotalLength})},
        {"InDelivers"},
        {"OutRequests", traffic.tx_packets},
        {"OutDiscards", dropped(router, {EgressFailed})},
        {"OutNoRoutes", dropped(router, {NoRoute})},
        {"ReasmTimeout", reassembly.timeouts},
        {"ReasmReqds", reassembly.requests},
        {"ReasmOKs", reassembly.reassembled},
        {"ReasmFails", reassembly.failed},
        {"FragOKs"},
        {"FragFails", dropped(router, {TooBig})},
        {"FragCreates"},
        {"OutTransmits", traffic.tx_packets},
    };
    const Row tcp[] = {{"RtoAlgorithm", 1}, {"RtoMin", 200}, {"RtoMax", 120000}, {"ActiveOpens"},
                       {"PassiveOpens"},    {"CurrEstab"},   {"InSegs"},         {"OutSegs"},
                       {"RetransSegs"},     {"InErrs"},      {"OutRsts"},        {"InCsumErrors"}};
    const Row udp[] = {{"InDatagrams"},  {"NoPorts"},      {"InErrors"},    {"OutDatagrams"},
                       {"RcvbufErrors"}, {"SndbufErrors"}, {"InCsumErrors"}};
    std::string out;
    append_section(out, "Ip", ip);
    append_section(out, "Tcp", tcp);
    append_section(out, "Udp", udp);
    return out;
}

// kernel: snmp6_seq_show
std::string read_snmp6(const Context& context, Instant /*now*/) {
    const defrag::Stats& reassembly = context.router.defrag().stats(Family::Ipv6);
    const Row rows[] = {
        {"Ip6ReasmTimeout", reassembly.timeouts},
        {"Ip6ReasmReqds", reassembly.requests},
        {"Ip6ReasmOKs", reassembly.reassembled},
        {"Ip6ReasmFails", reassembly.failed},
    };
    std::string out;
    for (const Row& row : rows) {
        text::append_left(out, row.name, 32);
        out += '\t';
        text::append(out, row.value);
        out += '\n';
    }
    return out;
}

// kernel: netstat_seq_show
std::string read_netstat(const Context& context, Instant /*now*/) {
    const Router& router = context.router;
    const routing::InterfaceCounters traffic = sum_of_interfaces(router);
    const Row rows[] = {
        {"InNoRoutes", dropped(router, {DropReason::NoRoute})},
        {"InTruncatedPkts", dropped(router, {DropReason::BadTotalLength})},
        {"InOctets", traffic.rx_bytes},
        {"OutOctets", traffic.tx_bytes},
        {"ReasmOverlaps", dropped(router, {DropReason::FragmentOverlap})},
    };
    std::string out;
    append_section(out, "IpExt", rows);
    return out;
}

namespace {

void append_section(std::string& out, std::string_view title, std::span<const Row> rows) {
    out.append(title).append(":");
    for (const Row& row : rows) {
        out.append(" ").append(row.name);
    }
    out.append("\n").append(title).append(":");
    for (const Row& row : rows) {
        out += ' ';
        text::append(out, row.value);
    }
    out += '\n';
}

}  // namespace

}  // namespace nsr::procfs
