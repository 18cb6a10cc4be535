#include "core/procfs/nf_conntrack.hpp"

#include <doctest/doctest.h>

#include "core/base/random.hpp"
#include "tests/support/log_lines.hpp"
#include "tests/support/writable.hpp"

using namespace nsr;
using namespace std::chrono_literals;
using conntrack::Conntrack;
using conntrack::Tuple;
using procfs::LineFormat;
namespace status = conntrack::status;

namespace {

// A table with entries that no packet made.
struct Book {
    Book() : conntrack(conntrack::Settings{}, {{1, 2}, silence, nullptr}) {
        conntrack.set_active(Family::Ipv4, true, now);
        conntrack.set_active(Family::Ipv6, true, now);
    }

    ConnId add(const Tuple& original, const Tuple& reply, std::uint32_t seconds) {
        conntrack::Table& table = test::writable_table(conntrack);
        const ConnId id = *table.allocate();
        REQUIRE(table.set_tuple(id, Direction::Original, original));
        REQUIRE(table.set_tuple(id, Direction::Reply, reply));
        table[id].deadline = to_jiffies(now) + seconds * kJiffiesPerSecond;
        table[id].status = status::kConfirmed;
        REQUIRE(table.insert(id, to_jiffies(now)));
        return id;
    }
    [[nodiscard]] std::string line(ConnId id, LineFormat format = LineFormat::Article) const {
        std::string out;
        procfs::append_nf_conntrack_line(out, conntrack, id, now, format);
        return out;
    }

    RandomSource random{1};
    test::LogLines silence;
    Instant now{1000s};
    Conntrack conntrack;
};

constexpr IpAddress kClient = IpAddress::v4(101, 81, 225, 225);
constexpr IpAddress kServer = IpAddress::v4(112, 74, 99, 130);

Tuple tuple(std::uint8_t protocol, std::uint16_t source, std::uint16_t destination) {
    return {kClient, kServer, source, destination, protocol};
}

Tuple answer(const Tuple& to) {
    return {to.destination, to.source, to.destination_port, to.source_port, to.protocol};
}

}  // namespace

TEST_CASE("the article's established line, byte for byte") {
    Book book;
    const Tuple flow = tuple(proto::kTcp, 33952, 80);
    const ConnId id = book.add(flow, answer(flow), 431962);
    conntrack::Connection& connection = test::writable_table(book.conntrack)[id];
    connection.state.tcp.state = static_cast<std::uint8_t>(conntrack::TcpConntrack::Established);
    connection.status |= status::kSeenReply | status::kAssured;
    CHECK(book.line(id) ==
          "ipv4     2 tcp      6 431962 ESTABLISHED src=101.81.225.225 dst=112.74.99.130 "
          "sport=33952 dport=80 src=112.74.99.130 dst=101.81.225.225 sport=80 dport=33952 "
          "[ASSURED] mark=0 secmark=0 use=2\n");
    CHECK(book.line(id, LineFormat::Kernel) ==
          "ipv4     2 tcp      6 431962 ESTABLISHED src=101.81.225.225 dst=112.74.99.130 "
          "sport=33952 dport=80 src=112.74.99.130 dst=101.81.225.225 sport=80 dport=33952 "
          "[ASSURED] mark=0 zone=0 use=2\n");
}

TEST_CASE("an unanswered flow says so behind its original tuple") {
    Book book;
    const Tuple flow = tuple(proto::kUdp, 4000, 53);
    const ConnId id = book.add(flow, answer(flow), 29);
    test::writable_table(book.conntrack)[id].mark = 7;
    CHECK(book.line(id, LineFormat::Kernel) ==
          "ipv4     2 udp      17 29 src=101.81.225.225 dst=112.74.99.130 sport=4000 dport=53 "
          "[UNREPLIED] src=112.74.99.130 dst=101.81.225.225 sport=53 dport=4000 mark=7 zone=0 "
          "use=2\n");
}

TEST_CASE("counters, timestamps and a zone stand where the kernel puts them") {
    Book book;
    const Tuple flow = tuple(proto::kUdp, 4000, 53);
    const ConnId id = book.add(flow, answer(flow), 29);
    conntrack::Extra& extra = *test::writable_table(book.conntrack).need_extra(id);
    extra.counting = true;
    extra.counters[0] = {2, 18446744073709551615u};
    extra.start_ns = std::chrono::nanoseconds(997s).count();
    CHECK(book.line(id) ==
          "ipv4     2 udp      17 29 src=101.81.225.225 dst=112.74.99.130 sport=4000 dport=53 "
          "packets=2 bytes=18446744073709551615 [UNREPLIED] src=112.74.99.130 "
          "dst=101.81.225.225 sport=53 dport=4000 packets=0 bytes=0 mark=0 secmark=0 "
          "delta-time=3 use=2\n");
}

TEST_CASE("a zone of one direction is shown with that direction's tuple") {
    Book book;
    const Tuple flow = tuple(proto::kUdp, 4000, 53);
    const ConnId id = *test::writable_table(book.conntrack).allocate();
    conntrack::Table& table = test::writable_table(book.conntrack);
    REQUIRE(table.set_tuple(id, Direction::Original, flow));
    REQUIRE(table.set_tuple(id, Direction::Reply, answer(flow)));
    table[id].deadline = to_jiffies(book.now) + 30 * kJiffiesPerSecond;
    table[id].zone = 5;
    CHECK(book.line(id).find(" mark=0 secmark=0 zone=5 use=2") != std::string::npos);
    conntrack::Extra& extra = *table.need_extra(id);
    extra.zone_reply = false;
    CHECK(book.line(id, LineFormat::Kernel).find(" dport=53 zone-orig=5 [UNREPLIED] ") !=
          std::string::npos);
    CHECK(book.line(id, LineFormat::Kernel).find("zone=") == std::string::npos);
    extra.zone_original = false;
    extra.zone_reply = true;
    CHECK(book.line(id, LineFormat::Kernel).find(" dport=4000 zone-reply=5 mark=0 use=2") !=
          std::string::npos);
}

TEST_CASE("what stands in the place of ports") {
    Book book;
    const Tuple icmp = tuple(proto::kIcmp, 1783, 8 << 8);
    const ConnId echo = book.add(icmp, {kServer, kClient, 1783, 0, proto::kIcmp}, 28);
    CHECK(book.line(echo, LineFormat::Kernel).find(" type=8 code=0 id=1783 [UNREPLIED] src=") !=
          std::string::npos);
    CHECK(book.line(echo, LineFormat::Kernel).find(" type=0 code=0 id=1783 mark=") !=
          std::string::npos);
    const Tuple gre = tuple(proto::kGre, 0, 0x4d);
    const ConnId tunnel = book.add(gre, {kServer, kClient, 0x4d, 0, proto::kGre}, 28);
    test::writable_table(book.conntrack)[tunnel].state.gre = {30, 180};
    CHECK(book.line(tunnel, LineFormat::Kernel) ==
          "ipv4     2 gre      47 28 timeout=30, stream_timeout=180 src=101.81.225.225 "
          "dst=112.74.99.130 srckey=0x0 dstkey=0x4d [UNREPLIED] src=112.74.99.130 "
          "dst=101.81.225.225 srckey=0x4d dstkey=0x0 mark=0 zone=0 use=2\n");
    const Tuple other = tuple(253, 0, 0);
    const ConnId unknown = book.add(other, answer(other), 598);
    CHECK(book.line(unknown, LineFormat::Kernel) ==
          "ipv4     2 unknown  253 598 src=101.81.225.225 dst=112.74.99.130 [UNREPLIED] "
          "src=112.74.99.130 dst=101.81.225.225 mark=0 zone=0 use=2\n");
}

TEST_CASE("IPv6 addresses are written in full") {
    Book book;
    const Tuple flow{IpAddress::v6(0xfd000001, 0, 0, 2), IpAddress::v6(0xfd000002, 0, 0, 0xabcd),
                     1836, 128 << 8, proto::kIcmpv6};
    const ConnId id =
        book.add(flow, {flow.destination, flow.source, 1836, 129 << 8, proto::kIcmpv6}, 28);
    CHECK(book.line(id, LineFormat::Kernel) ==
          "ipv6     10 icmpv6   58 28 src=fd00:0001:0000:0000:0000:0000:0000:0002 "
          "dst=fd00:0002:0000:0000:0000:0000:0000:abcd type=128 code=0 id=1836 [UNREPLIED] "
          "src=fd00:0002:0000:0000:0000:0000:0000:abcd "
          "dst=fd00:0001:0000:0000:0000:0000:0000:0002 type=129 code=0 id=1836 mark=0 zone=0 "
          "use=2\n");
}

TEST_CASE("a snapshot is what recordings have: sorted, without blanks, zone=0 and use=") {
    Book book;
    const Tuple dns = tuple(proto::kUdp, 4000, 53);
    const Tuple web = tuple(proto::kTcp, 4000, 80);
    const ConnId late = book.add(dns, answer(dns), 29);
    test::writable_table(book.conntrack).need_extra(late)->start_ns = 1;
    const ConnId id = book.add(web, answer(web), 119);
    test::writable_table(book.conntrack)[id].state.tcp.state =
        static_cast<std::uint8_t>(conntrack::TcpConntrack::SynSent);
    const std::string tcp_line =
        "ipv4 2 tcp 6 119 SYN_SENT src=101.81.225.225 dst=112.74.99.130 sport=4000 dport=80 "
        "[UNREPLIED] src=112.74.99.130 dst=101.81.225.225 sport=80 dport=4000 mark=0\n";
    CHECK(procfs::conntrack_snapshot(book.conntrack, book.now) ==
          tcp_line +
              "ipv4 2 udp 17 29 src=101.81.225.225 dst=112.74.99.130 sport=4000 dport=53 "
              "[UNREPLIED] src=112.74.99.130 dst=101.81.225.225 sport=53 dport=4000 mark=0\n");
    SUBCASE("what has run out is not shown") {
        const std::string later = procfs::conntrack_snapshot(book.conntrack, book.now + 30s);
        CHECK(later.find("udp") == std::string::npos);
        CHECK(later.find("tcp 6 89 ") != std::string::npos);
    }
}
