// The router whose sysctls are set, and what packets can tell of it.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <sstream>
#include <string>

#include "core/procfs/sysctl.hpp"
#include "core/procfs/tree.hpp"
#include "tests/support/bench.hpp"
#include "tests/support/log_lines.hpp"

namespace nsr::test {

inline constexpr const char* kClient = "10.0.0.2:4000";
inline constexpr const char* kServer = "192.0.2.7:80";
inline constexpr const char* kClient6 = "[fd00:1::2]:4000";
inline constexpr const char* kServer6 = "[2001:db8::7]:80";
inline constexpr const char* kDropInvalid =
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

// Of errors to one peer, sent at once.
inline std::size_t errors_for(Machine& m, const char* client, const char* router,
                              std::uint8_t type) {
    for (int i = 0; i < 10; ++i) {
        m.from_lan(udp(client, router));
    }
    return m.told(type);
}

// How often a ping from lan was answered.
inline std::size_t answers_to(Machine& m, const char* client, const char* server) {
    m.left.clear();
    m.from_lan(ping(client, server));
    const std::size_t answers = m.left.size();
    m.left.clear();
    return answers;
}

}  // namespace nsr::test
