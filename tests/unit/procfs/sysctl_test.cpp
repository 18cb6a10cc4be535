#include "core/procfs/sysctl.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace nsr;
using procfs::Errno;

namespace {

struct Bench {
    explicit Bench(TrackingMode mode = TrackingMode::On) : router({.tracking = mode}) {
        router.add_interface({.name = "lan"});
        router.add_interface({.name = "eth0.100"});
        router.apply({}, now);
    }

    // The value after the write, or the name of the error.
    std::string write(std::string_view name, std::string_view value) {
        if (const auto done = procfs::write_sysctl(context, name, value); !done) {
            return std::string(procfs::name_of(done.error().code)) + " " + done.error().detail;
        }
        return read(name);
    }
    [[nodiscard]] std::string read(std::string_view name) const {
        const auto value = procfs::read_sysctl(context, name);
        return value ? *value : std::string(procfs::name_of(value.error().code));
    }

    Instant now{};
    Router router;
    procfs::Context context{router};
};

}  // namespace

TEST_CASE("the defaults are the article's") {
    const Bench bench;
    CHECK(bench.read("net.netfilter.nf_conntrack_tcp_timeout_established") == "432000");
    CHECK(bench.read("net.netfilter.nf_conntrack_udp_timeout_stream") == "180");
    CHECK(bench.read("net.netfilter.nf_conntrack_max") == "65536");
    CHECK(bench.read("net/nf_conntrack_max") == "65536");
    CHECK(bench.read("net.netfilter.nf_conntrack_buckets") == "16384");
    CHECK(bench.read("net.netfilter.nf_conntrack_helper") == "1");
    CHECK(bench.read("net.netfilter.nf_conntrack_events_retry_timeout") == "15");
    CHECK(bench.read("net.netfilter.nf_conntrack_count") == "0");
    CHECK(bench.read("net.ipv4.ip_forward") == "1");
    CHECK(bench.read("net.ipv4.no_such") == "ENOENT");
}

TEST_CASE("numbers are read as the kernel reads them") {
    Bench bench;
    const std::string_view key = "net.netfilter.nf_conntrack_udp_timeout";
    CHECK(bench.write(key, "60\n") == "60");
    CHECK(bench.write(key, "12 34") == "12");
    CHECK(bench.write(key, "0x20") == "32");
    CHECK(bench.write(key, "010") == "8");
    CHECK(bench.write(key, "  7") == "7");
    CHECK(bench.write(key, "-5") == "-5");
    CHECK(bench.write(key, "8589934") == "8589934");
    CHECK(bench.write(key, "") == "8589934");
    const std::string refused = "EINVAL -8589934..8589934";
    for (const std::string_view bad : {"8589935", "9999999999", "99999999999999999999999", "abc",
                                       "7x", "+5", "-", "08", " ", "0x"}) {
        CAPTURE(bad);
        CHECK(bench.write(key, bad) == refused);
    }
    CHECK(bench.read(key) == "8589934");
}

TEST_CASE("every key keeps the kernel's range") {
    Bench bench;
    CHECK(bench.write("net.netfilter.nf_conntrack_tcp_loose", "2") == "EINVAL 0..1");
    CHECK(bench.write("net.netfilter.nf_conntrack_log_invalid", "255") == "255");
    CHECK(bench.write("net.netfilter.nf_conntrack_log_invalid", "256") == "EINVAL 0..255");
    CHECK(bench.write("net.netfilter.nf_conntrack_events", "2") == "2");
    CHECK(bench.write("net.netfilter.nf_conntrack_events", "3") == "EINVAL 0..2");
    CHECK(bench.write("net.netfilter.nf_conntrack_expect_max", "0") == "EINVAL 1..2147483647");
    CHECK(bench.write("net.ipv4.ip_default_ttl", "0") == "EINVAL 1..255");
    CHECK(bench.write("net.ipv4.ipfrag_max_dist", "-1") == "EINVAL 0..2147483647");
    CHECK(bench.write("net.ipv4.ip_forward", "-1") == "-1");
    CHECK(bench.write("net.netfilter.nf_conntrack_count", "1").starts_with("EACCES"));
}

TEST_CASE("a written value is what the router works with") {
    Bench bench;
    CHECK(bench.write("net.netfilter.nf_conntrack_tcp_timeout_time_wait", "5") == "5");
    CHECK(bench.router.settings().conntrack.timeouts.tcp_time_wait == 5);
    CHECK(bench.write("net.ipv4.ip_forward", "0") == "0");
    CHECK(bench.router.settings().forwarding.ipv4_forwarding.all == 0);
    CHECK(bench.write("net.netfilter.nf_conntrack_frag6_timeout", "1") == "1");
    CHECK(bench.router.settings().defrag.frag6_timeout == 1);
    CHECK(bench.write("net.ipv4.icmp_ratelimit", "5") == "8");  // two ticks
}

TEST_CASE("a threshold stays on its side of the other one") {
    Bench bench;
    CHECK(bench.write("net.ipv4.ipfrag_high_thresh", "3145727").starts_with("EINVAL"));
    CHECK(bench.write("net.ipv4.ipfrag_high_thresh", "3145728") == "3145728");
    CHECK(bench.write("net.ipv4.ipfrag_low_thresh", "3145729").starts_with("EINVAL"));
    CHECK(bench.write("net.ipv4.ipfrag_high_thresh", "99999999999") == "99999999999");
    CHECK(bench.write("net.netfilter.nf_conntrack_frag6_high_thresh", "0").starts_with("EINVAL"));
}

TEST_CASE("nf_conntrack_max has two names, and memory is its limit") {
    Bench bench;
    CHECK(bench.write("net.nf_conntrack_max", "100000") == "100000");
    CHECK(bench.read("net.netfilter.nf_conntrack_max") == "100000");
    bench.context.memory_limit_bytes = 144000;
    CHECK(bench.write("net.netfilter.nf_conntrack_max", "1000") == "1000");
    CHECK(bench.write("net.netfilter.nf_conntrack_max", "1001") ==
          "ENOMEM 1001 entries of 144 bytes need 144144 bytes, the limit is 144000 (at most 1000 "
          "entries)");
    CHECK(bench.write("net.netfilter.nf_conntrack_max", "0") == "0");
}

TEST_CASE("keys per interface: all and every name; the other separator stands for itself") {
    Bench bench;
    CHECK(bench.write("net.ipv4.conf.lan.rp_filter", "1") == "1");
    CHECK(bench.read("net.ipv4.conf.all.rp_filter") == "0");
    CHECK(bench.router.settings().forwarding.rp_filter.of(static_cast<IfIndex>(1)) == 1);
    CHECK(bench.write("net.ipv4.conf.eth0/100.send_redirects", "1") == "1");
    CHECK(bench.read("net/ipv4/conf/eth0.100/send_redirects") == "1");
    CHECK(bench.read("net.ipv4.conf.wan.rp_filter") == "ENOENT");
}

// What `sysctl -n` says of all of them in a namespace of Linux 6.18 after the same writes, where a
// has an IPv4 address and b none: tests/system/sysctl_test.py asks it.
TEST_CASE("all, default and an interface: who follows whom") {
    Router router({});
    procfs::Context context{router};
    const auto come = [&](const char* name, std::vector<Prefix> addresses) {
        router.add_interface({.name = name, .addresses = std::move(addresses)});
    };
    const auto set = [&](const std::string& name, const char* value) {
        REQUIRE(procfs::write_sysctl(context, "net." + name, value));
    };
    const auto all = [&](const std::string& directory, const std::string& key) {
        std::string values;
        for (const std::string_view name : {"all", "default", "a", "b", "c"}) {
            const auto value = procfs::read_sysctl(
                context, "net." + directory + ".conf." + std::string(name) + "." + key);
            values += value ? *value + " " : "";
        }
        return values;
    };
    come("a", {*parse_prefix("10.0.0.1/24")});
    come("b", {});

    set("ipv4.conf.default.rp_filter", "1");  // b has no value of its own yet
    CHECK(all("ipv4", "rp_filter") == "0 1 0 1 ");
    set("ipv4.conf.b.rp_filter", "0");
    set("ipv4.conf.default.rp_filter", "2");
    CHECK(all("ipv4", "rp_filter") == "0 2 0 0 ");
    come("c", {*parse_prefix("10.0.1.1/24")});
    CHECK(all("ipv4", "rp_filter") == "0 2 0 0 2 ");
    set("ipv4.conf.all.rp_filter", "1");
    CHECK(all("ipv4", "rp_filter") == "1 2 0 0 2 ");

    set("ipv4.conf.a.forwarding", "0");
    set("ipv4.ip_forward", "1");  // it was 1
    CHECK(all("ipv4", "forwarding") == "1 1 0 1 1 ");
    set("ipv4.ip_forward", "2");
    CHECK(all("ipv4", "forwarding") == "2 2 2 2 2 ");
    set("ipv4.conf.default.forwarding", "0");
    CHECK(all("ipv4", "forwarding") == "2 0 2 2 2 ");
    set("ipv4.conf.all.forwarding", "0");
    CHECK(*procfs::read_sysctl(context, "net.ipv4.ip_forward") == "0");

    set("ipv6.conf.a.forwarding", "0");
    set("ipv6.conf.all.forwarding", "1");  // it was 1, too
    CHECK(all("ipv6", "forwarding") == "1 1 1 1 1 ");
    set("ipv6.conf.default.disable_ipv6", "1");
    CHECK(all("ipv6", "disable_ipv6") == "0 1 0 0 0 ");
    set("ipv6.conf.all.disable_ipv6", "0");
    CHECK(all("ipv6", "disable_ipv6") == "0 0 0 0 0 ");
}

TEST_CASE("what later interfaces have: every key of conf") {
    for (const procfs::SysctlRow& row : procfs::sysctl_rows()) {
        if (!row.per_interface() || row.kind == procfs::SysctlKind::Fixed) {
            continue;
        }
        CAPTURE(row.name);
        Router router({});
        procfs::Context context{router};
        const auto of = [&](const char* name) {
            std::string path(row.name);
            return "net/" + path.replace(path.find('*'), 1, name);
        };
        const auto come = [&](const char* name, const char* address) {
            router.add_interface({.name = name, .addresses = {*parse_prefix(address)}});
        };
        come("before", "10.0.0.1/24");
        REQUIRE(procfs::write_sysctl(context, of("default"), "77"));
        come("after", "10.0.1.1/24");
        REQUIRE(procfs::write_sysctl(context, of("default"), "78"));
        CHECK(*procfs::read_sysctl(context, of("before")) == std::to_string(row.initial));
        CHECK(*procfs::read_sysctl(context, of("after")) == "77");
    }
}

TEST_CASE("keys that a router has no use for are refused with the reason") {
    const Bench bench;
    for (const auto& [name, why] : {std::pair("net.ipv4.conf.lan.arp_ignore", "no ARP"),
                                    std::pair("net.ipv4.conf.all.arp_announce", "no ARP"),
                                    std::pair("net/ipv4/conf/eth0.100/arp_filter", "no ARP"),
                                    std::pair("net.ipv4.ip_local_port_range", "1024-65535"),
                                    std::pair("net.ipv4.tcp_syncookies", "no sockets"),
                                    std::pair("net.core.rmem_max", "no sockets"),
                                    std::pair("net.bridge.bridge-nf-call-iptables", "bridge")}) {
        CAPTURE(name);
        const auto read = procfs::read_sysctl(bench.context, name);
        REQUIRE_FALSE(read);
        CHECK(read.error().code == Errno::NoEntry);
        CHECK(read.error().detail.find(why) != std::string::npos);
    }
    CHECK(procfs::why_no_sysctl("net.ipv4.conf.lan.rp_filtre").empty());
}

TEST_CASE("sysctl -a: in the order of the directories, nf_conntrack_max last") {
    const Bench bench;
    const std::vector<std::string> names = procfs::sysctl_names(bench.context);
    CHECK(names.front() == "net.ipv4.conf.all.accept_local");
    CHECK(names.back() == "net.nf_conntrack_max");
    CHECK(procfs::read_all_sysctls(bench.context).size() == names.size());
    const auto at = [&](std::string_view name) {
        return std::find(names.begin(), names.end(), name) - names.begin();
    };
    CHECK(at("net.ipv4.conf.eth0/100.rp_filter") < at("net.ipv4.conf.lan.rp_filter"));
    CHECK(at("net.ipv4.ipfrag_time") < at("net.ipv6.conf.all.forwarding"));
    CHECK(at("net.ipv6.ip6frag_time") < at("net.netfilter.nf_conntrack_acct"));
    CHECK(at("net.netfilter.nf_conntrack_udp_timeout") + 1 ==
          at("net.netfilter.nf_conntrack_udp_timeout_stream"));
    for (const std::string& name : names) {
        CHECK(procfs::read_sysctl(bench.context, name));
    }
}

TEST_CASE("while tracking is off its keys are gone") {
    Bench bench(TrackingMode::Off);
    const std::string_view key = "net.netfilter.nf_conntrack_max";
    CHECK(bench.read(key) == "ENOENT");
    CHECK(bench.write(key, "1000").starts_with("ENOENT"));
    CHECK(procfs::sysctl_names(bench.context).back() == "net.ipv6.ip6frag_time");
}

TEST_CASE("a configuration is checked and set without a router, whether or not tracking is on") {
    const std::vector<std::string> interfaces = {"lan"};
    const auto find = [&](std::string_view name) { return procfs::find_sysctl(name, interfaces); };
    CHECK_FALSE(find("net.ipv4.conf.wan.rp_filter"));
    CHECK(procfs::check_sysctl(*find("net.ipv4.conf.lan.rp_filter"), "1"));
    const auto acct = procfs::check_sysctl(*find("net.netfilter.nf_conntrack_acct"), "2");
    REQUIRE_FALSE(acct);
    CHECK(acct.error().detail == "0..1");
    const auto count = procfs::check_sysctl(*find("net.netfilter.nf_conntrack_count"), "2");
    REQUIRE_FALSE(count);
    CHECK(count.error().code == Errno::Access);

    pipeline::Settings settings;
    CHECK(procfs::set_sysctl(*find("net.netfilter.nf_conntrack_max"), "1000", 144000, settings));
    CHECK_FALSE(
        procfs::set_sysctl(*find("net.netfilter.nf_conntrack_max"), "1001", 144000, settings));
    CHECK(settings.conntrack.max == 1000);
}

TEST_CASE("each sysctl begins with the value that its row names") {
    Bench bench;
    for (const procfs::SysctlRow& row : procfs::sysctl_rows()) {
        const procfs::Sysctl sysctl{&row};
        CAPTURE(row.name);
        CHECK(procfs::read_sysctl(sysctl, bench.context) == std::to_string(row.initial));
    }
}
