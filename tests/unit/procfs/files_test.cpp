// Every virtual file shows what happens: the rows are walked, and each has something to show here.
#include "core/procfs/files.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <string>

#include "core/procfs/tree.hpp"
#include "core/rules/language/parse.hpp"
#include "tests/support/bench.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

struct Shown {
    const char* path;
    void (*happens)(Bench&, procfs::Tree&);
    const char* text;  // is there afterwards, and was not before
};

void a_packet(Bench& bench, procfs::Tree&) {
    bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
}
void a_packet6(Bench& bench, procfs::Tree&) {
    bench.from_lan(udp("[fd00:1::2]:4000", "[2001:db8::7]:53"));
}
void rules(Bench& bench, Family family) {
    rules::Ruleset ruleset;
    ruleset.load(family, rules::TableId::Mangle);
    bench.router->apply(std::move(ruleset), bench.now);
}

const std::array kShown = {
    Shown{"/dev/kmsg",
          [](Bench&, procfs::Tree& tree) {
              tree.context().kernel_log = [] { return std::string("[    0.000000] hello\n"); };
          },
          "hello"},
    Shown{"/proc/net/dev", a_packet, "   lan:      28       1"},
    Shown{"/proc/net/ip6_tables_names",
          [](Bench& bench, procfs::Tree&) { rules(bench, Family::Ipv6); }, "mangle\n"},
    Shown{"/proc/net/ip_conntrack", a_packet, "udp      17 30 src=10.0.0.2"},
    Shown{"/proc/net/ip_tables_names",
          [](Bench& bench, procfs::Tree&) { rules(bench, Family::Ipv4); }, "mangle\n"},
    Shown{"/proc/net/netstat", a_packet, " 28 28 "},
    Shown{"/proc/net/nf_conntrack", a_packet6, "ipv6     10 udp      17 30 src=fd00"},
    Shown{"/proc/net/route",
          [](Bench& bench, procfs::Tree&) {
              REQUIRE(bench.router->add_route(
                          {*parse_prefix("0.0.0.0/0"), parse_address("192.0.2.254"), {}, {}}) ==
                      routing::RouteChange::Done);
          },
          "wan\t00000000\tFE0200C0"},
    Shown{"/proc/net/snmp", a_packet, "\nIp: 1 64 1 0 0 1 "},
    Shown{"/proc/net/snmp6", a_packet6, "Ip6InReceives                   \t1\n"},
    Shown{"/proc/net/stat/nf_conntrack", a_packet, "\n00000001"},
    Shown{"/proc/nsrouter/conntrack_mode",
          [](Bench& bench, procfs::Tree& tree) {
              CHECK(tree.write("/proc/nsrouter/conntrack_mode", "off\n", bench.now));
              CHECK_FALSE(bench.router->tracking_active());
          },
          "off\n"},
    Shown{"/proc/nsrouter/drop_reasons",
          [](Bench& bench, procfs::Tree&) {
              bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53").ttl(1));
          },
          "ttl_expired                        1  "},
    Shown{"/proc/nsrouter/drops",
          [](Bench& bench, procfs::Tree&) {
              bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53").ttl(1));
          },
          "ttl_expired                        1  lan             ipv4 -                     the "},
    Shown{"/proc/nsrouter/nat_mappings",
          [](Bench& bench, procfs::Tree&) {
              rules::Ruleset ruleset;
              REQUIRE(rules::parse_save(
                          "*nat\n-A POSTROUTING -j MASQUERADE --profile full-cone\nCOMMIT\n",
                          "rules", Family::Ipv4, ruleset)
                          .empty());
              bench.router->apply(std::move(ruleset), bench.now);
              bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
          },
          "udp src=10.0.0.2 sport=4000 mapped-src=192.0.2.1 mapped-sport=4000 "
          "mapping=endpoint-independent filtering=endpoint-independent sessions=1 "
          "port-kept=yes\n"},
    Shown{"/proc/nsrouter/nat_ports",
          [](Bench& bench, procfs::Tree&) {
              rules::Ruleset ruleset;
              REQUIRE(rules::parse_save("*nat\n-A POSTROUTING -j MASQUERADE\nCOMMIT\n", "rules",
                                        Family::Ipv4, ruleset)
                          .empty());
              bench.router->apply(std::move(ruleset), bench.now);
              bench.from_lan(udp("10.0.0.2:4000", "192.0.2.7:53"));
          },
          "udp mapped-src=192.0.2.1 ports=1024-65535 used=1 free=64511\n"},
    Shown{"/proc/net/nf_conntrack_expect",
          [](Bench& bench, procfs::Tree&) {
              pipeline::Settings settings = bench.router->settings();
              settings.conntrack.helpers = conntrack::helper_bit(conntrack::HelperId::Tftp);
              bench.router->configure(settings);
              bench.from_lan(
                  udp("10.0.0.2:4000", "192.0.2.7:69").data(std::string("\0\1file\0octet\0", 13)));
          },
          "300 l3proto = 2 proto=17 src=192.0.2.7 dst=10.0.0.2 sport=0 dport=4000 tftp\n"},
};

}  // namespace

TEST_CASE("each virtual file shows what it is there for") {
    for (const procfs::File& file : procfs::files()) {
        CAPTURE(file.path);
        Bench bench;
        procfs::Tree tree({*bench.router});
        const auto read = [&] {
            const auto text = tree.read(file.path, bench.now);
            REQUIRE(text);
            return *text;
        };
        const auto* shown = std::find_if(kShown.begin(), kShown.end(),
                                         [&](const Shown& each) { return each.path == file.path; });
        REQUIRE_MESSAGE(shown != kShown.end(), "nothing is shown here");
        CHECK(read().find(shown->text) == std::string::npos);
        shown->happens(bench, tree);
        CAPTURE(read());
        CHECK(read().find(shown->text) != std::string::npos);
    }
}
