// The counters of the IP layer and of ICMP, by the names of RFC 4293. What this router does not
// count is 0.
#include <array>
#include <initializer_list>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/base/drop_reason.hpp"
#include "core/procfs/files.hpp"
#include "core/procfs/text.hpp"

namespace nsr::procfs {

namespace {

struct Row {
    std::string name;
    std::uint64_t value = 0;
};
using Rows = std::vector<Row>;

using IcmpTypes = std::array<std::uint64_t, 256>;
struct IcmpName {
    std::string_view name;
    std::uint8_t type;
};

// kernel: icmpmibmap
constexpr std::array<IcmpName, 11> kIcmpNames = {{{"DestUnreachs", 3},
                                                  {"TimeExcds", 11},
                                                  {"ParmProbs", 12},
                                                  {"SrcQuenchs", 4},
                                                  {"Redirects", 5},
                                                  {"Echos", 8},
                                                  {"EchoReps", 0},
                                                  {"Timestamps", 13},
                                                  {"TimestampReps", 14},
                                                  {"AddrMasks", 17},
                                                  {"AddrMaskReps", 18}}};

// kernel: icmp6type2name
constexpr std::array<IcmpName, 15> kIcmp6Names = {{{"DestUnreachs", 1},
                                                   {"PktTooBigs", 2},
                                                   {"TimeExcds", 3},
                                                   {"ParmProblems", 4},
                                                   {"Echos", 128},
                                                   {"EchoReplies", 129},
                                                   {"GroupMembQueries", 130},
                                                   {"GroupMembResponses", 131},
                                                   {"GroupMembReductions", 132},
                                                   {"RouterSolicits", 133},
                                                   {"RouterAdvertisements", 134},
                                                   {"NeighborSolicits", 135},
                                                   {"NeighborAdvertisements", 136},
                                                   {"Redirects", 137},
                                                   {"MLDv2Reports", 143}}};

std::uint64_t dropped(const Router& router, Family family,
                      std::initializer_list<DropReason> reasons) {
    std::uint64_t sum = 0;
    for (const DropReason reason : reasons) {
        sum += router.drops().of(family, reason);
    }
    return sum;
}

std::uint64_t bad_headers(const Router& router, Family family) {
    using enum DropReason;
    return dropped(router, family,
                   {TooShort, BadVersion, BadHeaderLength, BadHeaderChecksum, BadOption,
                    BadExtensionHeader, TtlExpired});
}

std::uint64_t bad_addresses(const Router& router, Family family) {
    using enum DropReason;
    return dropped(router, family, {MartianSource, MartianDestination, NotForwardable});
}

// Of packets that came in: those of the router's own are counted apart.
std::uint64_t in_no_routes(const Router& router, Family family) {
    return dropped(router, family, {DropReason::NoRoute}) - router.counters(family).out_no_routes;
}

std::uint64_t sum(const IcmpTypes& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

template <std::size_t kCount>
void add_named(Rows& rows, const std::string& prefix, const std::array<IcmpName, kCount>& names,
               const IcmpTypes& counts) {
    for (const IcmpName& named : names) {
        rows.push_back({prefix + std::string(named.name), counts[named.type]});
    }
}

void add_types(Rows& rows, const std::string& prefix, const IcmpTypes& counts) {
    for (std::size_t type = 0; type < counts.size(); ++type) {
        if (counts[type] != 0) {
            rows.push_back({prefix + std::to_string(type), counts[type]});
        }
    }
}

// Two lines: names, then values.
void append_section(std::string& out, const std::string& title, const Rows& rows) {
    std::string names = title + ":";
    std::string values = names;
    for (const Row& row : rows) {
        names += ' ' + row.name;
        values += ' ' + std::to_string(row.value);
    }
    out += names + '\n' + values + '\n';
}

Rows ip_rows(const Router& router) {
    const pipeline::ForwardingSettings forwarding = router.settings().forwarding;
    const IpCounters& counters = router.counters(Family::Ipv4);
    const defrag::Stats& reassembly = router.defrag().stats(Family::Ipv4);
    const auto of = [&](std::initializer_list<DropReason> reasons) {
        return dropped(router, Family::Ipv4, reasons);
    };
    using enum DropReason;
    return {
        {"Forwarding", std::uint64_t{forwarding.ipv4_forwarding.all != 0 ? 1u : 2u}},
        {"DefaultTTL", forwarding.ip_default_ttl},
        {"InReceives", counters.in_receives},
        {"InHdrErrors", bad_headers(router, Family::Ipv4)},
        {"InAddrErrors", bad_addresses(router, Family::Ipv4)},
        {"ForwDatagrams", counters.forw_datagrams},
        {"InUnknownProtos", of({LocalNoProtocol})},
        {"InDiscards", of({BadTotalLength})},
        {"InDelivers", counters.in_delivers},
        {"OutRequests", counters.out_requests},
        {"OutDiscards", of({EgressFailed, EgressQueueFull})},
        {"OutNoRoutes", counters.out_no_routes},
        {"ReasmTimeout", reassembly.timeouts},
        {"ReasmReqds", reassembly.requests},
        {"ReasmOKs", reassembly.reassembled},
        {"ReasmFails", reassembly.failed},
        {"FragOKs", counters.frag_oks},
        {"FragFails", of({TooBig})},
        {"FragCreates", counters.frag_creates},
        {"OutTransmits", counters.out_transmits},
    };
}

// kernel: icmp_put
Rows icmp_rows(const IpCounters& counters) {
    Rows rows = {{"InMsgs", sum(counters.icmp_in)}, {"InErrors"}, {"InCsumErrors"}};
    add_named(rows, "In", kIcmpNames, counters.icmp_in);
    rows.insert(rows.end(), {{"OutMsgs", sum(counters.icmp_out)},
                             {"OutErrors"},
                             {"OutRateLimitGlobal"},
                             {"OutRateLimitHost"}});
    add_named(rows, "Out", kIcmpNames, counters.icmp_out);
    return rows;
}

}  // namespace

// kernel: snmp_seq_show
std::string read_snmp(const Context& context, Instant /*now*/) {
    const IpCounters& counters = context.router.counters(Family::Ipv4);
    std::string out;
    append_section(out, "Ip", ip_rows(context.router));
    append_section(out, "Icmp", icmp_rows(counters));
    Rows types;
    add_types(types, "InType", counters.icmp_in);
    add_types(types, "OutType", counters.icmp_out);
    if (!types.empty()) {
        append_section(out, "IcmpMsg", types);
    }
    append_section(out, "Tcp",
                   {{"RtoAlgorithm", 1},
                    {"RtoMin", 200},
                    {"RtoMax", 120000},
                    {"ActiveOpens"},
                    {"PassiveOpens"},
                    {"CurrEstab"},
                    {"InSegs"},
                    {"OutSegs"},
                    {"RetransSegs"},
                    {"InErrs"},
                    {"OutRsts"},
                    {"InCsumErrors"}});
    append_section(out, "Udp",
                   {{"InDatagrams"},
                    {"NoPorts"},
                    {"InErrors"},
                    {"OutDatagrams"},
                    {"RcvbufErrors"},
                    {"SndbufErrors"},
                    {"InCsumErrors"}});
    return out;
}

// kernel: snmp6_seq_show
std::string read_snmp6(const Context& context, Instant /*now*/) {
    const Router& router = context.router;
    const IpCounters& counters = router.counters(Family::Ipv6);
    const defrag::Stats& reassembly = router.defrag().stats(Family::Ipv6);
    const auto of = [&](std::initializer_list<DropReason> reasons) {
        return dropped(router, Family::Ipv6, reasons);
    };
    using enum DropReason;
    Rows rows = {
        {"Ip6InReceives", counters.in_receives},
        {"Ip6InHdrErrors", bad_headers(router, Family::Ipv6)},
        {"Ip6InTooBigErrors", of({TooBig})},
        {"Ip6InNoRoutes", in_no_routes(router, Family::Ipv6)},
        {"Ip6InAddrErrors", bad_addresses(router, Family::Ipv6)},
        {"Ip6InUnknownProtos", of({LocalNoProtocol})},
        {"Ip6InTruncatedPkts", of({BadTotalLength})},
        {"Ip6InDelivers", counters.in_delivers},
        {"Ip6OutForwDatagrams", counters.forw_datagrams},
        {"Ip6OutRequests", counters.out_requests},
        {"Ip6OutNoRoutes", counters.out_no_routes},
        {"Ip6ReasmTimeout", reassembly.timeouts},
        {"Ip6ReasmReqds", reassembly.requests},
        {"Ip6ReasmOKs", reassembly.reassembled},
        {"Ip6ReasmFails", reassembly.failed},
        {"Ip6FragOKs", counters.frag_oks},
        {"Ip6FragFails", of({TooBig})},
        {"Ip6FragCreates", counters.frag_creates},
        {"Ip6InOctets", counters.in_octets},
        {"Ip6OutOctets", counters.out_octets},
        {"Ip6OutTransmits", counters.out_transmits},
        {"Icmp6InMsgs", sum(counters.icmp_in)},
        {"Icmp6OutMsgs", sum(counters.icmp_out)},
    };
    add_named(rows, "Icmp6In", kIcmp6Names, counters.icmp_in);
    add_named(rows, "Icmp6Out", kIcmp6Names, counters.icmp_out);
    add_types(rows, "Icmp6InType", counters.icmp_in);
    add_types(rows, "Icmp6OutType", counters.icmp_out);
    std::string out;
    for (const Row& row : rows) {
        text::append_left(out, row.name, 32);
        out += '\t' + std::to_string(row.value) + '\n';
    }
    return out;
}

// kernel: netstat_seq_show
std::string read_netstat(const Context& context, Instant /*now*/) {
    const Router& router = context.router;
    const IpCounters& counters = router.counters(Family::Ipv4);
    std::string out;
    append_section(
        out, "IpExt",
        {
            {"InNoRoutes", in_no_routes(router, Family::Ipv4)},
            {"InTruncatedPkts", dropped(router, Family::Ipv4, {DropReason::BadTotalLength})},
            {"InOctets", counters.in_octets},
            {"OutOctets", counters.out_octets},
            {"ReasmOverlaps", dropped(router, Family::Ipv4, {DropReason::FragmentOverlap})},
        });
    return out;
}

}  // namespace nsr::procfs
