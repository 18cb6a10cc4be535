// What would become of a packet, in words, and that asking changes nothing.
#include "router/explain/explain.hpp"
#include "router/base/hex.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "core/procfs/nf_conntrack.hpp"
#include "core/procfs/tree.hpp"
#include "core/rules/save.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "core/wire/tcp.hpp"
#include "tests/support/bench.hpp"

namespace nsr::router {
namespace {

using namespace nsr::test;

struct AskedRouter {
    Bench bench{
        "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"
        "*filter\n:FORWARD DROP [0:0]\n"
        "-A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
        "-A FORWARD -i lan -p tcp --dport 80 -j ACCEPT\n"
        "-A FORWARD -p tcp --dport 25 -j REJECT\nCOMMIT\n"};
    procfs::Context context{*bench.router};

    std::string ask(const std::string& lines, bool json = false) {
        auto request = parse_explain_request(lines);
        if (!request) {
            return "error: " + request.error();
        }
        request->json = json;
        const ExplainAnswer told = explain(context, *request, {}, bench.now);
        return (told.refused ? "error: " : "") + told.text;
    }
};

bool has(const std::string& text, const std::string& part) {
    const bool found = text.find(part) != std::string::npos;
    if (!found) {
        MESSAGE("not there: ", part, "\nin:\n", text);
    }
    return found;
}

// All of a router that can be looked at.
std::string state_of(const Router& router, Instant now) {
    std::string text = procfs::conntrack_snapshot(router.conntrack(), now);
    const rules::Counted counted = router.counted();
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        text += rules::save(counted.ruleset, family, counted.counters);
    }
    for (const DropReasonRow& row : kDropReasons) {
        text += std::to_string(router.drops().of(row.reason)) + " ";
    }
    text += std::to_string(router.recorder().made()) + " ";
    text += std::to_string(router.conntrack().stats().invalid) + " ";
    for (const routing::Interface& interface : router.interfaces().all()) {
        text += std::to_string(interface.counters.rx_packets) + "/" +
                std::to_string(interface.counters.tx_packets) + " ";
    }
    return text;
}

}  // namespace

TEST_CASE("explain: a packet that passes, with the rules that say so") {
    AskedRouter asked;
    const std::string text = asked.ask("packet tcp 10.0.0.2:4000 > 192.0.2.7:80 S in lan\n");
    CHECK(has(text, "The packet, in by lan: IPv4 10.0.0.2 > 192.0.2.7"));
    CHECK(has(text, "PREROUTING: no connection has it, so it begins one (NEW): tcp SYN_SENT"));
    CHECK(has(text, "Routing: it goes through wan to 192.0.2.7."));
    CHECK(has(text,
              "FORWARD: rule 2 of FORWARD in filter accepts it: -A FORWARD -i lan -p tcp -m "
              "tcp --dport 80 -j ACCEPT (given:7:4)."));
    CHECK(has(text, "POSTROUTING: NAT makes its source 192.0.2.1:4000 of 10.0.0.2:4000."));
    CHECK(has(text, "=> It passes, and leaves by wan.\n"));
}

TEST_CASE("explain: a packet that is dropped, and what would let it through") {
    AskedRouter asked;
    const std::string text = asked.ask("packet udp 10.0.0.2:4000 > 192.0.2.7:53\n");
    CHECK(has(text, "FORWARD: no rule of filter decides, and the policy of FORWARD is DROP."));
    CHECK(has(text,
              "=> It is dropped. What would let it through: a rule in FORWARD that accepts "
              "NEW packets from lan to wan, or the policy ACCEPT.\n"));
}

TEST_CASE("explain: what the router says about a packet is told, too") {
    AskedRouter asked;
    const std::string text = asked.ask("packet tcp 10.0.0.2:4000 > 192.0.2.7:25\n");
    CHECK(has(text, "refuses it and tells its sender"));
    CHECK(has(text, "Packet 2 of the router's own, because of it, from the router itself: "));
}

TEST_CASE("explain: the answer, and what follows") {
    AskedRouter asked;
    const std::string text = asked.ask(
        "packet tcp 10.0.0.2:4000 > 192.0.2.7:80 S in lan\nreply\n"
        "then tcp 10.0.0.2:4000 > 192.0.2.7:80 .\n");
    CHECK(has(text, "The answer to it, in by wan: IPv4 192.0.2.7 > 192.0.2.1"));
    CHECK(has(text, "TCP 80>4000 S. seq=1 ack=2"));
    CHECK(has(text, "as a packet of the answering side; SYN_SENT becomes SYN_RECV"));
    CHECK(has(text, "NAT makes its destination 10.0.0.2:4000 of 192.0.2.1:4000."));
    CHECK(has(text, "Packet 2, in by lan: "));
    CHECK(has(text, "TCP 4000>80 . seq=2 ack=2"));
    CHECK(has(text, "SYN_RECV becomes ESTABLISHED"));
}

TEST_CASE("explain: what NAT does to a known connection was decided by its first packet") {
    const std::string decided = "which alone asks the rules of nat";
    AskedRouter asked;
    CHECK(asked.ask("packet tcp 10.0.0.2:4000 > 192.0.2.7:80 S\n").find(decided) ==
          std::string::npos);
    asked.bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.7:80").syn().seq(1));
    CHECK(has(asked.ask("packet tcp 10.0.0.2:4000 > 192.0.2.7:80 S\n"),
              "NAT makes its source 192.0.2.1:4000 of 10.0.0.2:4000. So it was with the first "
              "packet of the connection, " +
                  decided));
}

TEST_CASE("explain: targets that change a packet say what they change") {
    AskedRouter asked;
    CHECK(has(asked.ask("packet tcp 10.0.0.2:4000 > 192.0.2.7:80 S\n"
                        "if-rule -t mangle -I PREROUTING -j TTL --ttl-set 1\n"),
              "rule 1 of PREROUTING in mangle changes its TTL: "));
}

TEST_CASE("explain: what if there were another rule, or another sysctl") {
    AskedRouter asked;
    CHECK(has(asked.ask("packet udp 10.0.0.2:4000 > 192.0.2.7:53\n"
                        "if-rule FORWARD -p udp --dport 53 -j ACCEPT\n"),
              "rule 1 of FORWARD in filter accepts it"));
    AskedRouter off;
    CHECK(has(off.ask("packet tcp 10.0.0.2:4000 > 192.0.2.7:80\nif-sysctl net.ipv4.ip_forward=0\n"),
              "What would let it through: net.ipv4.conf.lan.forwarding=1.\n"));
}

TEST_CASE("explain: a packet that the recorder kept, again and otherwise") {
    AskedRouter asked;
    asked.bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53").payload(300));
    CHECK(has(asked.ask("record 1\n"), "=> It is dropped."));
    CHECK(has(asked.ask("record 1\nif-rule FORWARD -p udp -j ACCEPT\n"), "=> It passes"));
    CHECK(asked.ask("record 99\n") == "error: record 99 is not kept (any more)");
}

TEST_CASE("explain: a captured packet whose checksum the device was to finish is taken as right") {
    const auto told = [](const std::vector<std::uint8_t>& bytes) {
        AskedRouter asked;
        return asked.ask("bytes lan " +
                         hex_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()}) +
                         "\n");
    };
    const PacketBuilder syn = tcp("10.0.0.2:4000", "192.0.2.7:80").syn();
    auto unfinished = syn.bytes();
    wire::store16(
        unfinished.data() + 20 + wire::tcp::kChecksumOffset,
        wire::pseudo_header_sum(*parse_address("10.0.0.2"), *parse_address("192.0.2.7"),
                                proto::kTcp, static_cast<std::uint32_t>(unfinished.size() - 20)));
    CHECK(has(told(unfinished), "it begins one (NEW)"));
    ++unfinished[20 + wire::tcp::kChecksumOffset];
    CHECK(has(told(unfinished), "INVALID (bad checksum)"));
}

TEST_CASE("explain: packets of a capture, in hexadecimal") {
    AskedRouter asked;
    const auto bytes = udp("10.0.0.2:4000", "192.0.2.7:53").bytes();
    const std::string hex = hex_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    CHECK(has(asked.ask("bytes lan " + hex + "\n"), "UDP 4000>53"));
    CHECK(asked.ask("bytes lan 45x\n").find("error: bytes takes INTERFACE") == 0);
    CHECK(asked.ask("bytes eth7 " + hex + "\n") == "error: there is no interface \"eth7\"");
}

TEST_CASE("explain: as objects, one a line") {
    AskedRouter asked;
    const std::string text = asked.ask("packet udp 10.0.0.2:4000 > 192.0.2.7:53\n", true);
    const auto told = boost::json::parse(text);
    CHECK(told.at("verdict") == "dropped");
    CHECK(told.at("reason") == "policy_drop");
}

TEST_CASE("explain: what is wrong is told, with where") {
    AskedRouter asked;
    const std::pair<const char*, const char*> rows[] = {
        {"packet tpc 10.0.0.2:1 > 192.0.2.7:2",
         "column 1 of \"tpc 10.0.0.2:1 > 192.0.2.7:2\": "
         "there is no protocol \"tpc\""},
        {"packet tcp 10.0.0.2 > 192.0.2.7:2", "column 5 of "},
        {"packet tcp 10.0.0.2 > 192.0.2.7:2", "the source needs a port: 10.0.0.2:PORT"},
        {"packet tcp 10.0.0.2:1 192.0.2.7:2", "behind the source stands \">\", not"},
        {"packet tcp 10.0.0.2:1 > [fd00::1]:2", "are not of one family"},
        {"packet icmp6 10.0.0.2 > 192.0.2.7", "icmp6 goes between IPv6 addresses"},
        {"packet tcp 10.0.0.2:1 > 192.0.2.7:2 S tll 3", "did you mean \"ttl\"?"},
        {"packet tcp 10.0.0.2:1 > 192.0.2.7:2 S ttl 300", "ttl takes 0 to 255, not \"300\""},
        {"packet udp 10.0.0.2:1 > 192.0.2.7:2 in eth9",
         "there is no interface \"eth9\", but lan, wan"},
        {"packet udp 203.0.113.2:1 > 192.0.2.7:2", "no route leads back to 203.0.113.2"},
        {"record x", "record takes a number"},
        {"colour red", "there is no \"colour\" here; known: packet, "},
        {"", "there is no packet to explain"},
        {"packet udp 10.0.0.2:1 > 192.0.2.7:2\nif-rule FORWARD --dprt 1", "if-rule \"FORWARD "},
        {"packet udp 10.0.0.2:1 > 192.0.2.7:2\nif-sysctl net.foo=1", "if-sysctl net.foo=1: "},
        {"packet udp 10.0.0.2:1 > 192.0.2.7:2\nif-sysctl x", "if-sysctl takes KEY=VALUE"},
    };
    for (const auto& [line, part] : rows) {
        CAPTURE(line);
        const std::string said = asked.ask(std::string(line) + "\n");
        CHECK(said.find("error: ") == 0);
        CHECK(has(said, part));
    }
}

TEST_CASE("explain: every protocol can be written down and goes through") {
    for (const char* packet :
         {"icmp 10.0.0.2 > 192.0.2.7 id 7", "icmp6 fd00:1::2 > 2001:db8::7",
          "gre 10.0.0.2 > 192.0.2.7", "sctp 10.0.0.2:1 > 192.0.2.7:2", "50 10.0.0.2 > 192.0.2.7",
          "udp [fd00:1::2]:1 > [2001:db8::7]:2 data 100 tos 8 ttl 3",
          "tcp 10.0.0.2:1 > 192.0.2.7:2 P. seq 5 ack 6 win 7 df data 1000"}) {
        CAPTURE(packet);
        Bench bench;
        procfs::Context context{*bench.router};
        const auto request = parse_explain_request("packet " + std::string(packet) + "\nreply\n");
        REQUIRE(request.ok());
        const ExplainAnswer told = explain(context, *request, {}, bench.now);
        REQUIRE_FALSE(told.refused);
        CHECK(has(told.text, "=> It passes, and leaves by wan."));
        CHECK(told.text.find("INVALID") == std::string::npos);
    }
}

TEST_CASE("explain: in a copy of the state it changes nothing of the state") {
    AskedRouter asked;
    asked.bench.from_lan(tcp("10.0.0.2:4000", "192.0.2.7:80").syn());
    const std::string before = state_of(*asked.bench.router, asked.bench.now);
    const pid_t child = ::fork();
    if (child == 0) {
        asked.ask(
            "packet tcp 10.0.0.2:4001 > 192.0.2.7:80 S in lan\nreply\n"
            "then udp 10.0.0.2:4000 > 192.0.2.7:53\nif-rule FORWARD -p udp -j ACCEPT\n"
            "if-sysctl net.netfilter.nf_conntrack_tcp_loose=0\n");
        ::_exit(state_of(*asked.bench.router, asked.bench.now) == before ? 1 : 0);
    }
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);  // it did change the copy
    CHECK(state_of(*asked.bench.router, asked.bench.now) == before);
}

}  // namespace nsr::router
