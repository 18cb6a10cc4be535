// Every sysctl does what it says: the rows are walked, and each has its effect shown here.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "core/procfs/sysctl.hpp"
#include "core/procfs/tree.hpp"
#include "core/rules/language/parse.hpp"
#include "core/wire/icmp.hpp"
#include "tests/support/bench.hpp"
#include "tests/support/log_lines.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* kClient = "10.0.0.2:4000";
constexpr const char* kServer = "192.0.2.7:80";
constexpr const char* kClient6 = "[fd00:1::2]:4000";
constexpr const char* kServer6 = "[2001:db8::7]:80";
constexpr const char* kDropInvalid =
    "*filter\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n";

struct WithLog {
    LogLines log;
};

// A router that drops what is INVALID.
struct Machine : WithLog, Bench {
    Machine()
        : Bench(kDropInvalid, Family::Ipv4, {.tracking = TrackingMode::On, .log = &log}),
          context{*router} {}

    bool write(const std::string& name, const std::string& value) {
        return procfs::write_sysctl(context, "net/" + name, value).ok();
    }
    void set(const std::string& name, const std::string& value) { REQUIRE(write(name, value)); }

    // The table as /proc/net/nf_conntrack shows it.
    std::string table() { return *procfs::Tree(context).read("/proc/net/nf_conntrack", now); }
    // How long its only connection will last.
    std::string seconds() {
        std::istringstream words(table());
        std::string word;
        for (int i = 0; i < 5; ++i) {
            words >> word;
        }
        return word;
    }
    [[nodiscard]] std::uint64_t dropped(DropReason reason) const {
        return router->drops().of(reason);
    }
    // As `helpers` of the configuration does.
    void attach_helpers() const {
        pipeline::Settings settings = router->settings();
        settings.conntrack.helpers = conntrack::helper_bit(conntrack::HelperId::Tftp);
        router->configure(settings);
    }
    // By TFTP.
    void request_file(int port) {
        from_lan(udp("10.0.0.2:" + std::to_string(port), "192.0.2.7:69")
                     .data(std::string("\0\1file\0octet\0", 13)));
    }
    // How many ICMP errors or answers of this type left; what left is forgotten.
    std::size_t told(std::uint8_t type) {
        const auto count = std::count_if(left.begin(), left.end(), [&](const Packet& packet) {
            return proto::is_icmp(packet.layout.protocol) && packet.l4()[0] == type;
        });
        left.clear();
        return static_cast<std::size_t>(count);
    }
    void stop_tracking() {
        router->apply({}, now);
        REQUIRE(router->set_tracking(TrackingMode::Off, now));
    }

    // TCP, segment by segment
    void syn() { from_lan(tcp(kClient, kServer).syn().seq(1000)); }
    void syn_ack() { from_wan(tcp(kServer, kClient).syn().seq(5000).ack(1001)); }
    void handshake() {
        syn();
        syn_ack();
        from_lan(tcp(kClient, kServer).seq(1001).ack(5001));
    }
    void data() { from_lan(tcp(kClient, kServer).seq(1001).ack(5001).payload(10)); }
    void fin() {
        handshake();
        from_lan(tcp(kClient, kServer).fin().seq(1001).ack(5001));
    }
    void fin_acknowledged() {
        fin();
        from_wan(tcp(kServer, kClient).seq(5001).ack(1002));
    }
    void both_fins() {
        fin_acknowledged();
        from_wan(tcp(kServer, kClient).fin().seq(5001).ack(1002));
    }

    // SCTP, chunk by chunk; the verification tag is 1 on both sides
    void sctp(bool original, char type) {
        set("netfilter/nf_conntrack_checksum", "0");
        const char tag = type == 1 ? 0 : 1;
        std::string bytes =
            original ? std::string("\x0f\xa0\0\x50", 4) : std::string("\0\x50\x0f\xa0", 4);
        bytes += std::string(3, '\0') + tag + std::string(4, '\0');
        bytes += type;
        bytes += std::string("\0\0\x14\0\0\0\1", 7) + std::string("\0\0\1\0\0\1\0\1\0\0\0\1", 12);
        if (original) {
            from_lan(ip(132, "10.0.0.2", "192.0.2.7").data(bytes));
        } else {
            from_wan(ip(132, "192.0.2.7", "10.0.0.2").data(bytes));
        }
    }
    void sctp_handshake() {
        sctp(true, 1);
        sctp(false, 2);
        sctp(true, 10);
        sctp(false, 11);
    }

    void fragment4(std::uint16_t id, std::uint16_t offset, bool more) {
        from_lan(udp(kClient, kServer).payload(2000).id(id).fragment(offset, more, 1008));
    }
    void fragment6(const char* to) {
        from_lan(udp(kClient6, to).payload(2000).fragment(0, true, 1000));
    }

    procfs::Context context;
};

// --- how long a connection lasts ----------------------------------------------------------------

struct Lifetime {
    const char* timeout;
    void (*story)(Machine&);
};

constexpr char kHeartbeat = 4, kAbort = 6, kShutdown = 7, kShutdownAck = 8;

const std::array kLifetimes = {
    Lifetime{"generic_timeout", [](Machine& m) { m.from_lan(ip(99, "10.0.0.2", "192.0.2.7")); }},
    Lifetime{"gre_timeout",
             [](Machine& m) {
                 m.from_lan(ip(47, "10.0.0.2", "192.0.2.7").data(std::string("\0\0\x08\0", 4)));
             }},
    Lifetime{"gre_timeout_stream",
             [](Machine& m) {
                 const std::string header("\0\0\x08\0", 4);
                 m.from_lan(ip(47, "10.0.0.2", "192.0.2.7").data(header));
                 m.from_wan(ip(47, "192.0.2.7", "10.0.0.2").data(header));
                 m.from_lan(ip(47, "10.0.0.2", "192.0.2.7").data(header));
             }},
    Lifetime{"icmp_timeout", [](Machine& m) { m.from_lan(ping("10.0.0.2", "192.0.2.7")); }},
    Lifetime{"icmpv6_timeout", [](Machine& m) { m.from_lan(ping("fd00:1::2", "2001:db8::7")); }},
    Lifetime{"sctp_timeout_closed",
             [](Machine& m) {
                 m.sctp_handshake();
                 m.sctp(true, kAbort);
             }},
    Lifetime{"sctp_timeout_cookie_wait",
             [](Machine& m) {
                 m.sctp(true, 1);
                 m.sctp(false, 2);
             }},
    Lifetime{"sctp_timeout_cookie_echoed",
             [](Machine& m) {
                 m.sctp(true, 1);
                 m.sctp(false, 2);
                 m.sctp(true, 10);
             }},
    Lifetime{"sctp_timeout_established", [](Machine& m) { m.sctp_handshake(); }},
    Lifetime{"sctp_timeout_heartbeat_sent", [](Machine& m) { m.sctp(true, kHeartbeat); }},
    Lifetime{"sctp_timeout_shutdown_sent",
             [](Machine& m) {
                 m.sctp_handshake();
                 m.sctp(true, kShutdown);
             }},
    Lifetime{"sctp_timeout_shutdown_recd",
             [](Machine& m) {
                 m.sctp_handshake();
                 m.sctp(false, kShutdown);
             }},
    Lifetime{"sctp_timeout_shutdown_ack_sent",
             [](Machine& m) {
                 m.sctp_handshake();
                 m.sctp(true, kShutdown);
                 m.sctp(false, kShutdownAck);
             }},
    Lifetime{"tcp_timeout_syn_sent", [](Machine& m) { m.syn(); }},
    Lifetime{"tcp_timeout_syn_recv",
             [](Machine& m) {
                 m.syn();
                 m.syn_ack();
             }},
    Lifetime{"tcp_timeout_established", [](Machine& m) { m.handshake(); }},
    Lifetime{"tcp_timeout_fin_wait", [](Machine& m) { m.fin(); }},
    Lifetime{"tcp_timeout_close_wait", [](Machine& m) { m.fin_acknowledged(); }},
    Lifetime{"tcp_timeout_last_ack", [](Machine& m) { m.both_fins(); }},
    Lifetime{"tcp_timeout_time_wait",
             [](Machine& m) {
                 m.both_fins();
                 m.from_lan(tcp(kClient, kServer).seq(1002).ack(5002));
             }},
    Lifetime{"tcp_timeout_close",
             [](Machine& m) {
                 m.handshake();
                 m.from_wan(tcp(kServer, kClient).rst().seq(5001).ack(1001));
             }},
    Lifetime{"tcp_timeout_max_retrans",
             [](Machine& m) {
                 m.handshake();
                 for (int i = 0; i < 5; ++i) {
                     m.data();
                 }
             }},
    Lifetime{"tcp_timeout_unacknowledged",
             [](Machine& m) {
                 m.handshake();
                 m.data();
             }},
    Lifetime{"udp_timeout", [](Machine& m) { m.from_lan(udp(kClient, kServer)); }},
    Lifetime{"udp_timeout_stream",
             [](Machine& m) {
                 m.from_lan(udp(kClient, kServer));
                 m.from_wan(udp(kServer, kClient));
                 m.now += 3s;
                 m.from_lan(udp(kClient, kServer));
             }},
};

// --- everything else ----------------------------------------------------------------------------

struct Effect {
    const char* name;
    void (*shows)(Machine&);
};

// Of errors to one peer, sent at once.
std::size_t errors_for(Machine& m, const char* client, const char* router, std::uint8_t type) {
    for (int i = 0; i < 10; ++i) {
        m.from_lan(udp(client, router));
    }
    return m.told(type);
}

void a_full_table_drops(Machine& m, const char* name) {
    m.handshake();
    m.set(name, "1");
    m.from_lan(udp(kClient, kServer));
    CHECK(m.dropped(DropReason::TableFull) == 1);
    m.set(name, "2");
    m.from_lan(udp(kClient, kServer));
    CHECK(m.dropped(DropReason::TableFull) == 1);
}

// A low threshold only bounds the high one. kernel: inet_frags, since 4.17
template <class Fragment>
void memory_is_bounded(Machine& m, const std::string& high, const std::string& low,
                       Fragment fragment) {
    fragment();
    CHECK(m.dropped(DropReason::FragmentMemory) == 0);
    CHECK_FALSE(m.write(high, "0"));
    m.set(low, "0");
    m.set(high, "0");
    CHECK_FALSE(m.write(low, "1"));
    fragment();
    CHECK(m.dropped(DropReason::FragmentMemory) == 1);
}

template <class Fragment>
void the_rest_may_take(Machine& m, const std::string& name, Fragment fragment) {
    m.set(name, "5");
    fragment();
    CHECK(m.router->expire(m.now + 4s, m.left));
    CHECK(m.dropped(DropReason::FragmentTimeout) == 0);
    CHECK(m.router->expire(m.now + 6s, m.left));
    CHECK(m.dropped(DropReason::FragmentTimeout) == 1);
}

void memory4(Machine& m) {
    memory_is_bounded(m, "ipv4/ipfrag_high_thresh", "ipv4/ipfrag_low_thresh",
                      [&] { m.fragment4(1, 0, true); });
}
void memory6_tracked(Machine& m) {
    memory_is_bounded(m, "netfilter/nf_conntrack_frag6_high_thresh",
                      "netfilter/nf_conntrack_frag6_low_thresh", [&] { m.fragment6(kServer6); });
}
void memory6_host(Machine& m) {
    m.stop_tracking();
    memory_is_bounded(m, "ipv6/ip6frag_high_thresh", "ipv6/ip6frag_low_thresh",
                      [&] { m.fragment6("[fd00:1::1]:53"); });
}

// By how many ways connections of one client to one server leave, which differ in their ports.
std::size_t ways_out(Machine& m, const char* client, const char* server, const char* to,
                     const char* over_wan, const char* over_other) {
    const IfIndex other = m.add_link("other", "203.0.113.1/24", "2001:db8:2::1/64");
    routing::Route route{.to = *parse_prefix(to)};
    route.hops = {{.via = parse_address(over_wan)}, {.via = parse_address(over_other)}};
    REQUIRE(m.router->add_route(route) == routing::RouteChange::Done);
    m.left.clear();
    for (int port = 1; port <= 32; ++port) {
        m.from_lan(udp(client + std::to_string(port), server));
    }
    REQUIRE(m.left.size() == 32);
    const auto by_other = std::count_if(m.left.begin(), m.left.end(), [&](const Packet& packet) {
        return packet.meta.out == other;
    });
    return by_other == 0 || by_other == 32 ? 1 : 2;
}
void by_ports4(Machine& m, const char* policy, std::size_t ways) {
    m.set("ipv4/fib_multipath_hash_policy", policy);
    CHECK(ways_out(m, "10.0.0.2:", "198.51.100.7:80", "198.51.100.0/24", "192.0.2.9",
                   "203.0.113.9") == ways);
}
void by_ports6(Machine& m, const char* policy, std::size_t ways) {
    m.set("ipv6/fib_multipath_hash_policy", policy);
    CHECK(ways_out(m, "[fd00:1::2]:", "[2001:db8:9::7]:80", "2001:db8:9::/64", "2001:db8::9",
                   "2001:db8:2::9") == ways);
}

const std::array kEffects = {
    Effect{"ipv4/conf/*/rp_filter",
           [](Machine& m) {
               for (const char* name : {"ipv4/conf/all/rp_filter", "ipv4/conf/lan/rp_filter"}) {
                   const std::uint64_t before = m.dropped(DropReason::ReversePathFilter);
                   m.from_lan(udp("192.0.2.9:1", kServer));
                   CHECK(m.dropped(DropReason::ReversePathFilter) == before);
                   m.set(name, "1");
                   m.from_lan(udp("192.0.2.9:1", kServer));
                   CHECK(m.dropped(DropReason::ReversePathFilter) == before + 1);
                   m.set(name, "0");
               }
           }},
    Effect{"ipv4/conf/*/send_redirects",
           [](Machine& m) {
               REQUIRE(
                   m.router->add_route(
                       {*parse_prefix("198.51.100.0/24"), parse_address("10.0.0.9"), m.lan, {}}) ==
                   routing::RouteChange::Done);
               for (const char* name :
                    {"ipv4/conf/all/send_redirects", "ipv4/conf/lan/send_redirects"}) {
                   m.from_lan(udp(kClient, "198.51.100.7:80"));
                   CHECK(m.told(wire::icmp::kRedirect) == 0);
                   m.set(name, "1");
                   m.from_lan(udp(kClient, "198.51.100.7:80"));
                   CHECK(m.told(wire::icmp::kRedirect) == 1);
                   m.set(name, "0");
                   m.now += 60s;
               }
           }},
    Effect{"ipv4/conf/*/src_valid_mark",
           [](Machine& m) {
               rules::Ruleset marks;
               rules::parse_save("*mangle\n-A PREROUTING -j MARK --set-mark 1\nCOMMIT\n", "rules",
                                 Family::Ipv4, marks);
               m.router->apply(std::move(marks), m.now);
               routing::PolicyRule no_way_back;
               no_way_back.action = routing::RuleAction::Blackhole;
               no_way_back.mark = 1;
               no_way_back.mark_mask = 1;
               no_way_back.to = *parse_prefix("10.0.0.0/24");
               REQUIRE(m.router->add_policy_rule(no_way_back, std::nullopt) ==
                       routing::RuleChange::Done);
               m.set("ipv4/conf/all/rp_filter", "1");
               for (const char* name :
                    {"ipv4/conf/all/src_valid_mark", "ipv4/conf/lan/src_valid_mark"}) {
                   const std::uint64_t before = m.dropped(DropReason::ReversePathFilter);
                   m.from_lan(udp(kClient, kServer));
                   CHECK(m.dropped(DropReason::ReversePathFilter) == before);
                   m.set(name, "1");
                   m.from_lan(udp(kClient, kServer));
                   CHECK(m.dropped(DropReason::ReversePathFilter) == before + 1);
                   m.set(name, "0");
               }
           }},
    Effect{"ipv4/fib_multipath_hash_policy",
           [](Machine& m) {
               Machine plain;
               by_ports4(plain, "0", 1);
               by_ports4(m, "1", 2);
           }},
    Effect{"ipv4/icmp_msgs_per_sec",
           [](Machine& m) {
               CHECK(errors_for(m, kClient, "10.0.0.1:53", 3) > 0);
               m.set("ipv4/icmp_msgs_per_sec", "0");
               m.now += 60s;
               CHECK(errors_for(m, kClient, "10.0.0.1:53", 3) == 0);
           }},
    Effect{"ipv4/icmp_ratelimit",
           [](Machine& m) {
               CHECK(errors_for(m, kClient, "10.0.0.1:53", 3) == 6);
               m.set("ipv4/icmp_ratelimit", "0");
               CHECK(errors_for(m, kClient, "10.0.0.1:53", 3) == 10);
           }},
    Effect{"ipv4/ip_default_ttl",
           [](Machine& m) {
               m.set("ipv4/ip_default_ttl", "99");
               m.from_lan(ping("10.0.0.2", "10.0.0.1"));
               REQUIRE(m.left.size() == 1);
               CHECK(m.left[0].layout.ttl == 99);
           }},
    Effect{"ipv4/ip_forward",
           [](Machine& m) {
               m.set("ipv4/ip_forward", "0");
               m.from_lan(udp(kClient, kServer));
               m.from_lan(udp(kClient6, kServer6));
               CHECK(m.dropped(DropReason::ForwardingDisabled) == 1);
               CHECK(m.left.size() == 1);
           }},
    Effect{"ipv4/ipfrag_high_thresh", memory4},
    Effect{"ipv4/ipfrag_low_thresh", memory4},
    Effect{"ipv4/ipfrag_max_dist",
           [](Machine& m) {  // too many others in between: it begins again, and stays incomplete
               const auto complete = [&](std::uint16_t id) {
                   m.fragment4(id, 0, true);
                   m.fragment4(90, 0, true);
                   m.fragment4(91, 0, true);
                   m.fragment4(id, 1008, false);
                   return m.router->defrag().stats(Family::Ipv4).reassembled;
               };
               CHECK(complete(1) == 1);
               m.set("ipv4/ipfrag_max_dist", "1");
               CHECK(complete(2) == 1);
           }},
    Effect{"ipv4/ipfrag_time",
           [](Machine& m) {
               the_rest_may_take(m, "ipv4/ipfrag_time", [&] { m.fragment4(1, 0, true); });
           }},
    Effect{"ipv6/conf/all/forwarding",
           [](Machine& m) {
               m.set("ipv6/conf/all/forwarding", "0");
               m.from_lan(udp(kClient, kServer));
               m.from_lan(udp(kClient6, kServer6));
               CHECK(m.dropped(DropReason::ForwardingDisabled) == 1);
               CHECK(m.left.size() == 1);
           }},
    Effect{"ipv6/fib_multipath_hash_policy",
           [](Machine& m) {
               Machine plain;
               by_ports6(plain, "0", 1);
               by_ports6(m, "1", 2);
           }},
    Effect{"ipv6/icmp/ratelimit",
           [](Machine& m) {
               CHECK(errors_for(m, kClient6, "[fd00:1::1]:53", 1) == 6);
               m.set("ipv6/icmp/ratelimit", "0");
               CHECK(errors_for(m, kClient6, "[fd00:1::1]:53", 1) == 10);
           }},
    Effect{"ipv6/ip6frag_high_thresh", memory6_host},
    Effect{"ipv6/ip6frag_low_thresh", memory6_host},
    Effect{"ipv6/ip6frag_time",
           [](Machine& m) {
               m.stop_tracking();
               the_rest_may_take(m, "ipv6/ip6frag_time", [&] { m.fragment6("[fd00:1::1]:53"); });
           }},
    Effect{"netfilter/nf_conntrack_acct",
           [](Machine& m) {
               m.set("netfilter/nf_conntrack_acct", "1");
               m.from_lan(udp(kClient, kServer));
               CHECK(m.table().find("packets=1 bytes=28") != std::string::npos);
           }},
    Effect{"netfilter/nf_conntrack_buckets",
           [](Machine& m) {
               const std::uint32_t before = m.router->conntrack().table().buckets();
               m.set("netfilter/nf_conntrack_buckets", "64");
               CHECK(m.router->conntrack().table().buckets() < before);
           }},
    Effect{"netfilter/nf_conntrack_checksum",
           [](Machine& m) {
               m.from_lan(udp(kClient, kServer).bad_checksum());
               CHECK(m.dropped(DropReason::RuleDrop) == 1);
               m.set("netfilter/nf_conntrack_checksum", "0");
               m.from_lan(udp(kClient, kServer).bad_checksum());
               CHECK(m.dropped(DropReason::RuleDrop) == 1);
           }},
    Effect{"netfilter/nf_conntrack_count",
           [](Machine& m) {
               m.from_lan(udp(kClient, kServer));
               CHECK(*procfs::read_sysctl(m.context, "net.netfilter.nf_conntrack_count") == "1");
           }},
    Effect{"netfilter/nf_conntrack_events",
           [](Machine& m) {
               struct Listener final : conntrack::EventSubscriber {
                   void conntrack_event(const conntrack::Event& /*event*/) override { ++events; }
                   int events = 0;
               } listener;
               m.router->subscribe(listener);
               m.set("netfilter/nf_conntrack_events", "0");
               m.from_lan(udp(kClient, kServer));
               CHECK(listener.events == 0);
               m.set("netfilter/nf_conntrack_events", "1");
               m.from_lan(udp("10.0.0.3:4000", kServer));
               m.router->unsubscribe(listener);
               CHECK(listener.events == 1);
           }},
    Effect{"netfilter/nf_conntrack_frag6_high_thresh", memory6_tracked},
    Effect{"netfilter/nf_conntrack_frag6_low_thresh", memory6_tracked},
    Effect{"netfilter/nf_conntrack_frag6_timeout",
           [](Machine& m) {
               the_rest_may_take(m, "netfilter/nf_conntrack_frag6_timeout",
                                 [&] { m.fragment6(kServer6); });
           }},
    Effect{"netfilter/nf_conntrack_log_invalid",
           [](Machine& m) {
               m.from_lan(udp(kClient, kServer).bad_checksum());
               const std::size_t before = m.log.lines.size();
               m.set("netfilter/nf_conntrack_log_invalid", "17");
               m.from_lan(udp(kClient, kServer).bad_checksum());
               CHECK(m.log.lines.size() == before + 1);
           }},
    Effect{"netfilter/nf_conntrack_max",
           [](Machine& m) { a_full_table_drops(m, "netfilter/nf_conntrack_max"); }},
    Effect{"netfilter/nf_conntrack_expect_max",
           [](Machine& m) {
               m.attach_helpers();
               m.request_file(4000);
               m.set("netfilter/nf_conntrack_expect_max", "1");
               m.request_file(4001);
               CHECK(m.router->conntrack().expectations().size() == 1);
               CHECK(m.dropped(DropReason::HelperRefused) == 1);
               m.set("netfilter/nf_conntrack_expect_max", "2");
               m.request_file(4001);
               CHECK(m.router->conntrack().expectations().size() == 2);
           }},
    Effect{"netfilter/nf_conntrack_helper",
           [](Machine& m) {
               m.attach_helpers();
               m.set("netfilter/nf_conntrack_helper", "0");
               m.request_file(4000);
               CHECK(m.router->conntrack().expectations().size() == 0);
               m.set("netfilter/nf_conntrack_helper", "1");
               m.request_file(4001);
               CHECK(m.router->conntrack().expectations().size() == 1);
           }},
    Effect{"netfilter/nf_conntrack_tcp_be_liberal",
           [](Machine& m) {
               m.handshake();
               const auto out_of_window = [&] {
                   m.from_lan(tcp(kClient, kServer).seq(90001001).ack(5001).payload(10));
                   return m.dropped(DropReason::RuleDrop);
               };
               CHECK(out_of_window() == 1);
               m.set("netfilter/nf_conntrack_tcp_be_liberal", "1");
               CHECK(out_of_window() == 1);
           }},
    Effect{"netfilter/nf_conntrack_tcp_ignore_invalid_rst",
           [](Machine& m) {
               m.handshake();
               const auto strange_reset = [&] {
                   m.from_wan(tcp(kServer, kClient).rst().seq(4990));
                   return m.dropped(DropReason::RuleDrop);
               };
               CHECK(strange_reset() == 1);
               m.set("netfilter/nf_conntrack_tcp_ignore_invalid_rst", "1");
               CHECK(strange_reset() == 1);
           }},
    Effect{"netfilter/nf_conntrack_tcp_loose",
           [](Machine& m) {
               m.set("netfilter/nf_conntrack_tcp_loose", "0");
               m.data();
               CHECK(m.dropped(DropReason::RuleDrop) == 1);
               m.set("netfilter/nf_conntrack_tcp_loose", "1");
               m.data();
               CHECK(m.dropped(DropReason::RuleDrop) == 1);
           }},
    Effect{"netfilter/nf_conntrack_tcp_max_retrans",
           [](Machine& m) {
               m.set("netfilter/nf_conntrack_tcp_max_retrans", "1");
               m.set("netfilter/nf_conntrack_tcp_timeout_max_retrans", "55");
               m.handshake();
               m.data();
               CHECK(m.seconds() == "300");
               m.data();
               CHECK(m.seconds() == "55");
           }},
    Effect{"netfilter/nf_conntrack_timestamp",
           [](Machine& m) {
               m.set("netfilter/nf_conntrack_timestamp", "1");
               m.from_lan(udp(kClient, kServer));
               CHECK(m.table().find("delta-time=0") != std::string::npos);
           }},
    Effect{"nf_conntrack_max", [](Machine& m) { a_full_table_drops(m, "nf_conntrack_max"); }},
};

// Those that keep their value and change nothing, and why.
struct Inert {
    const char* name;
    const char* why;
};
constexpr std::array kInert = {
    Inert{"netfilter/nf_conntrack_events_retry_timeout",
          "events are handed over at once; there is no queue that could be full"},
};

template <class Rows>
auto find_named(const Rows& rows, std::string_view name) {
    return std::find_if(rows.begin(), rows.end(),
                        [&](const auto& each) { return each.name == name; });
}

const Lifetime* lifetime_of(std::string_view name) {
    constexpr std::string_view kPrefix = "netfilter/nf_conntrack_";
    const auto* found = std::find_if(kLifetimes.begin(), kLifetimes.end(), [&](const auto& each) {
        return name == std::string(kPrefix) + each.timeout;
    });
    return found == kLifetimes.end() ? nullptr : found;
}

}  // namespace

TEST_CASE("each sysctl has the effect that it should have") {
    for (const procfs::SysctlRow& row : procfs::sysctl_rows()) {
        CAPTURE(row.name);
        Machine machine;
        if (const Lifetime* lifetime = lifetime_of(row.name)) {
            machine.set(std::string(row.name), "77");
            lifetime->story(machine);
            CHECK(machine.seconds() == "77");
            continue;
        }
        const auto effect = find_named(kEffects, row.name);
        const bool inert = find_named(kInert, row.name) != kInert.end();
        REQUIRE_MESSAGE((effect != kEffects.end()) != inert, "no effect is shown here");
        if (!inert) {
            effect->shows(machine);
        }
    }
}
