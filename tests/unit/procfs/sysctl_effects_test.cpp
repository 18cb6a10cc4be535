// Every sysctl does what it says: the rows are walked, and each has its effect shown here.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <string_view>

#include "core/procfs/sysctl.hpp"
#include "tests/unit/procfs/sysctl_conf_effects.hpp"
#include "tests/unit/procfs/sysctl_lifetimes.hpp"
#include "tests/unit/procfs/sysctl_machine.hpp"
#include "tests/unit/procfs/sysctl_network_effects.hpp"

using namespace nsr;
using namespace nsr::test;
using namespace std::chrono_literals;

namespace {

void a_full_table_drops(Machine& m, const char* name) {
    m.handshake();
    m.set(name, "1");
    m.from_lan(udp(kClient, kServer));
    CHECK(m.dropped(DropReason::TableFull) == 1);
    m.set(name, "2");
    m.from_lan(udp(kClient, kServer));
    CHECK(m.dropped(DropReason::TableFull) == 1);
}

const std::array kTrackingEffects = {
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
    Inert{"ipv4/conf/*/secure_redirects", "of no redirects, the secure ones are none"},
    Inert{"netfilter/nf_conntrack_events_retry_timeout",
          "events are handed over at once; there is no queue that could be full"},
};

template <class Rows>
auto find_named(const Rows& rows, std::string_view name) {
    return std::find_if(rows.begin(), rows.end(),
                        [&](const auto& each) { return each.name == name; });
}

// Null: none is shown.
const Effect* effect_of(std::string_view name) {
    for (const std::span<const Effect> effects :
         {std::span<const Effect>(kConfEffects), std::span<const Effect>(kNetworkEffects),
          std::span<const Effect>(kTrackingEffects)}) {
        const auto found = find_named(effects, name);
        if (found != effects.end()) {
            return &*found;
        }
    }
    return nullptr;
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
        if (row.kind == procfs::SysctlKind::Fixed) {
            std::string name(row.name);
            name.replace(name.find('*'), 1, "lan");
            CHECK(machine.write(name, std::to_string(row.initial)));
            CHECK_FALSE(machine.write(name, std::to_string(row.initial + 1)));
            CHECK_FALSE(row.reason.empty());
            continue;
        }
        const Effect* effect = effect_of(row.name);
        const bool inert = find_named(kInert, row.name) != kInert.end();
        REQUIRE_MESSAGE((effect != nullptr) != inert, "no effect is shown here");
        if (!inert) {
            effect->shows(machine);
        }
    }
}
