#include "core/procfs/tree.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "tests/support/writable.hpp"

using namespace nsr;
using namespace std::chrono_literals;
using procfs::Errno;
using procfs::Tree;

namespace {

struct Bench {
    explicit Bench(TrackingMode mode = TrackingMode::On) : router({.tracking = mode}) {
        routing::Interface lan{.name = "lan"};
        lan.addresses = {*parse_prefix("10.0.1.1/24"), *parse_prefix("fd00:1::1/64")};
        lan.counters.rx_bytes = 1500;
        lan.counters.rx_packets = 3;
        router.add_interface(lan);
        router.apply({}, now);
        tree.context().kernel_log = [] { return std::string("[    0.000000] hello\n"); };
    }

    ConnId add(std::uint32_t source, std::uint32_t seconds = 30) {
        conntrack::Table& table = test::writable_table(router.conntrack());
        const IpAddress client = IpAddress::v4(0x0a000000 + source);
        const IpAddress server = IpAddress::v4(192, 0, 2, 1);
        const ConnId id = *table.allocate();
        REQUIRE(table.set_tuple(id, Direction::Original, {client, server, 4000, 53, 17}));
        REQUIRE(table.set_tuple(id, Direction::Reply, {server, client, 53, 4000, 17}));
        table[id].deadline = to_jiffies(now) + seconds * kJiffiesPerSecond;
        table[id].status = conntrack::status::kConfirmed;
        REQUIRE(table.insert(id, to_jiffies(now)));
        return id;
    }
    [[nodiscard]] std::string read(std::string_view path) const {
        auto text = tree.read(path, now);
        return text ? *text : std::string(procfs::name_of(text.error().code));
    }
    [[nodiscard]] std::string list(std::string_view path) const {
        auto entries = tree.list(path);
        if (!entries) {
            return std::string(procfs::name_of(entries.error().code));
        }
        std::string names;
        for (const Tree::Entry& entry : *entries) {
            names += entry.name + (entry.directory ? "/ " : " ");
        }
        return names;
    }

    Instant now{1000s};
    Router router;
    Tree tree{{router}};
};

std::size_t lines_of(std::string_view text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

TEST_CASE_FIXTURE(Bench,
                  "a slice of a large table that holds little may be empty, but never takes long") {
    std::vector<ConnId> ids;
    for (std::uint32_t i = 0; i < 45000; ++i) {
        ids.push_back(add(i));
    }
    for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
        router.destroy_connection(ids[i], now);
    }
    auto cursor = tree.open("/proc/net/nf_conntrack");
    REQUIRE(cursor);
    std::string text;
    CHECK((*cursor)->read(text, 4096, now));
    CHECK(text.empty());
    std::size_t pieces = 1;
    while ((*cursor)->read(text, 4096, now)) {
        ++pieces;
    }
    CHECK(pieces > 2);
    CHECK(lines_of(text) == 1);
}

TEST_CASE("directories follow from the paths") {
    const Bench bench;
    CHECK(bench.list("/") == "dev/ proc/ ");
    CHECK(bench.list("/proc/") == "net/ nsrouter/ self/ sys/ ");
    CHECK(bench.list("/proc/self") == "net/ ");
    CHECK(bench.list("/proc/sys/net") == "ipv4/ ipv6/ netfilter/ nf_conntrack_max ");
    CHECK(bench.list("/proc/sys/net/ipv4/conf") == "all/ default/ lan/ ");
    CHECK(bench.list("/proc/net/stat") == "nf_conntrack ");
    CHECK(bench.list("/proc/net/self/nothing") == "ENOENT");
    CHECK(bench.list("/proc/net/dev") == "ENOTDIR");
    CHECK(bench.list("/proc/net") == bench.list("/proc/self/net"));
}

TEST_CASE("what can be written, and what the answer is otherwise") {
    Bench bench;
    const auto write = [&](std::string_view path, std::string_view text) {
        const auto written = bench.tree.write(path, text, bench.now);
        return written ? std::string_view("ok") : procfs::name_of(written.error().code);
    };
    CHECK(write("/proc/sys/net/netfilter/nf_conntrack_max", "100000\n") == "ok");
    CHECK(bench.read("/proc/sys/net/nf_conntrack_max") == "100000\n");
    CHECK(write("/proc/sys/net/netfilter/nf_conntrack_count", "1") == "EACCES");
    CHECK(write("/proc/sys/net/netfilter/nf_conntrack_acct", "yes") == "EINVAL");
    CHECK(write("/proc/net/nf_conntrack", "f") == "EACCES");
    CHECK(write("/proc/net", "1") == "EISDIR");
    CHECK(write("/proc/net/dev/1", "1") == "ENOTDIR");
    CHECK(write("/proc/no", "1") == "ENOENT");
    CHECK(bench.tree.stat("/proc/sys/net/ipv4/ip_forward")->mode == 0644);
    CHECK(bench.tree.stat("/proc/sys/net/netfilter/nf_conntrack_count")->mode == 0444);
    CHECK(bench.tree.stat("/proc/net/nf_conntrack")->mode == 0440);
    CHECK(bench.tree.stat("/proc/net")->directory);
    CHECK(!bench.tree.stat("/proc/nothing"));
    CHECK(procfs::text_of(Errno::Busy) == "Device or resource busy");
}

TEST_CASE("the table reads the same by all its names; the old file lacks two columns") {
    Bench bench;
    bench.add(2);
    const std::string line =
        "udp      17 30 src=10.0.0.2 dst=192.0.2.1 sport=4000 dport=53 [UNREPLIED] "
        "src=192.0.2.1 dst=10.0.0.2 sport=53 dport=4000 mark=0 secmark=0 use=2\n";
    CHECK(bench.read("/proc/net/nf_conntrack") == "ipv4     2 " + line);
    CHECK(bench.read("/proc/self/net/nf_conntrack") == "ipv4     2 " + line);
    CHECK(bench.read("//proc/net/ip_conntrack") == line);
    CHECK(bench.read("/proc/sys/net/netfilter/nf_conntrack_count") == "1\n");
    bench.now += 30s;
    CHECK(bench.read("/proc/net/nf_conntrack").empty());
}

TEST_CASE("reading in slices while the table changes: nothing twice, nothing missed") {
    Bench bench;
    std::vector<ConnId> ids;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        ids.push_back(bench.add(i));
    }
    auto cursor = bench.tree.open("/proc/net/nf_conntrack");
    REQUIRE(cursor);
    std::string text;
    std::uint32_t next = 1000;
    for (std::size_t i = 0; (*cursor)->read(text, 1000, bench.now); ++i) {
        test::writable_table(bench.router.conntrack())
            .erase(ids[i * 7]);  // one of those read, or yet to come
        bench.add(next++);
    }
    std::set<std::string_view> seen;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = text.find('\n', begin);
        CHECK(seen.insert(std::string_view(text).substr(begin, end - begin)).second);
        begin = end + 1;
    }
    for (std::uint32_t i = 0; i < 1000; ++i) {
        const std::string source = to_string(IpAddress::v4(0x0a000000 + i));
        const bool there = text.find(" src=" + source + " ") != std::string::npos;
        CHECK((there || i % 7 == 0));
    }
}

TEST_CASE("the statistics have the kernel's columns") {
    Bench bench;
    bench.add(2);
    test::writable_stats(bench.router.conntrack()).invalid = 0x1f;
    test::writable_stats(bench.router.conntrack()).expect_new = 2;
    CHECK(bench.read("/proc/net/stat/nf_conntrack") ==
          "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop "
          "early_drop icmp_error  expect_new expect_create expect_delete search_restart\n"
          "00000001  00000000 00000000 00000000 0000001f 00000000 00000000 00000000 00000000 "
          "00000000 00000000 00000000 00000000  00000002 00000000 00000000 00000000\n");
}

TEST_CASE("interfaces and routes as net-tools read them") {
    Bench bench;
    REQUIRE(bench.router.add_route({.to = *parse_prefix("0.0.0.0/0"),
                                    .via = parse_address("10.0.1.2"),
                                    .interface = IfIndex::None}) == routing::RouteChange::Done);
    CHECK(bench.read("/proc/net/dev")
              .find("\n   lan:    1500       3    0    0    0     0          0         0        0  "
                    "     0 "
                    "   0    0    0     0       0          0\n") != std::string::npos);
    std::string routes = bench.read("/proc/net/route");
    CHECK(lines_of(routes) == 3);
    CHECK(routes.size() == 3 * 128);
    CHECK(routes.substr(128).starts_with(
        "lan\t00000000\t0201000A\t0003\t0\t0\t0\t00000000\t0\t0\t0 "));
    CHECK(routes.substr(256).starts_with(
        "lan\t0001000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0 "));
}

TEST_CASE("snmp and netstat are pairs of lines with as many names as values") {
    const Bench bench;
    for (const std::string_view path : {"/proc/net/snmp", "/proc/net/netstat"}) {
        const std::string text = bench.read(path);
        for (std::size_t begin = 0; begin < text.size();) {
            const std::size_t middle = text.find('\n', begin);
            const std::size_t end = text.find('\n', middle + 1);
            const auto blanks = [&](std::size_t from, std::size_t to) {
                return std::count(text.begin() + static_cast<std::ptrdiff_t>(from),
                                  text.begin() + static_cast<std::ptrdiff_t>(to), ' ');
            };
            CHECK(blanks(begin, middle) == blanks(middle, end));
            CHECK(text.substr(begin, text.find(':', begin) - begin) ==
                  text.substr(middle + 1, text.find(':', middle) - middle - 1));
            begin = end + 1;
        }
    }
    CHECK(bench.read("/proc/net/snmp").starts_with("Ip: Forwarding DefaultTTL InReceives "));
    CHECK(bench.read("/proc/net/snmp").find("\nIp: 1 64 0 ") != std::string::npos);
}

TEST_CASE("the log, the drops and the names of loaded tables") {
    Bench bench;
    CHECK(bench.read("/dev/kmsg") == "[    0.000000] hello\n");
    CHECK(lines_of(bench.read("/proc/nsrouter/drop_reasons")) == kDropReasonCount);
    CHECK(bench.read("/proc/nsrouter/drops").empty());
    CHECK(bench.read("/proc/nsrouter/drop_reasons")
              .starts_with("too_short                          0  the "));
    CHECK(bench.read("/proc/net/ip_tables_names").empty());
    rules::Ruleset ruleset;
    ruleset.load(Family::Ipv4, rules::TableId::Filter);
    ruleset.load(Family::Ipv4, rules::TableId::Nat);
    bench.router.apply(std::move(ruleset), bench.now);
    CHECK(bench.read("/proc/net/ip_tables_names") == "nat\nfilter\n");
    CHECK(bench.read("/proc/net/ip6_tables_names").empty());
}

TEST_CASE("tracking is switched by writing its mode, but not off while a rule needs it") {
    Bench bench;
    CHECK(bench.read("/proc/nsrouter/conntrack_mode") == "on\n");
    const std::string_view mode = "/proc/nsrouter/conntrack_mode";
    CHECK(bench.tree.write(mode, "perhaps", bench.now).error().detail == "auto|on|off");
    CHECK(bench.tree.write(mode, "off\n", bench.now));
    CHECK(bench.read(mode) == "off\n");
    CHECK(bench.read("/proc/net/nf_conntrack") == "ENOENT");
    CHECK(bench.read("/proc/sys/net/netfilter/nf_conntrack_max") == "ENOENT");
    CHECK(bench.list("/proc/net/stat") == "ENOENT");
    CHECK(bench.list("/proc/sys/net") == "ipv4/ ipv6/ ");
    CHECK(bench.tree.write(mode, "auto", bench.now));
    CHECK(bench.read("/proc/net/nf_conntrack") == "ENOENT");
    rules::Ruleset ruleset;
    ruleset.load(Family::Ipv4, rules::TableId::Nat);
    bench.router.apply(std::move(ruleset), bench.now);
    CHECK(bench.read("/proc/net/nf_conntrack").empty());
    const auto refused = bench.tree.write(mode, "off", bench.now);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errno::Busy);
    CHECK(refused.error().detail.find("nat") != std::string::npos);
    CHECK(bench.read(mode) == "auto\n");
}
