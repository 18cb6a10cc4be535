#include "router/config/load.hpp"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "router/config/build.hpp"

namespace nsr::router {
namespace {

namespace fs = std::filesystem;

const std::string kInterfaces = R"([[interface]]
name = "lan"
netns = "client"
address = ["10.0.1.1/24", "fd00:1::1/64"]
host.address = ["10.0.1.2/24", "fd00:1::2/64"]
host.routes = ["default"]

[[interface]]
name = "wan"
device = "tun9"
address = ["198.51.100.1/24"]
host.address = ["198.51.100.2/24"]
host.routes = [{ to = "10.9.0.0/16", via = "198.51.100.9" }]
mtu = 1400
)";

Config good(const std::string& text, const std::string& path = "folder/demo.toml") {
    auto config = parse_config(text, path);
    if (!config) {
        for (const ConfigError& error : config.error()) {
            FAIL_CHECK(to_string(error));
        }
    }
    REQUIRE(config.ok());
    return *config;
}

// A folder that goes with the test.
struct Folder {
    fs::path path =
        fs::temp_directory_path() / ("nsrouter-config-test-" + std::to_string(getpid()));
    Folder() { fs::create_directories(path); }
    ~Folder() { fs::remove_all(path); }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(path / name) << text;
    }
    Config load(const std::string& text) const { return good(text, (path / "demo.toml").string()); }
};

const rules::Chain& chain(const Config& config, Family family, rules::TableId table,
                          const char* name) {
    const rules::Chain* found = config.ruleset.table(family, table).find(name);
    REQUIRE(found != nullptr);
    return *found;
}

}  // namespace

TEST_CASE("what a file does not say has the documented default") {
    const Config config = good(kInterfaces);
    CHECK(config.name == "demo");
    CHECK(config.offload);
    CHECK(config.coalesce);
    CHECK(config.ring);
    CHECK(config.spin == std::chrono::microseconds(50));
    CHECK(config.control.address == "127.0.0.1");
    CHECK(config.control.port == 9080);
    CHECK(config.control.unix_path == "/run/nsrouter/demo.sock");
    CHECK(config.conntrack.mode == TrackingMode::Auto);
    CHECK(config.line_format == procfs::LineFormat::Article);
    CHECK(config.host_netns.empty());
    CHECK(config.replay.settle == Duration(0));
    CHECK(config.interfaces[0].mtu == 1500);
}

TEST_CASE("interfaces: device, namespace, addresses and the far end's routes") {
    const Config config = good(kInterfaces);
    REQUIRE(config.interfaces.size() == 2);
    const InterfaceConfig& lan = config.interfaces[0];
    CHECK(lan.device == "lan");
    CHECK(lan.netns == "client");
    CHECK(to_string(lan.addresses[1].value) == "fd00:1::1/64");
    REQUIRE(lan.host_routes.size() == 2);  // default, in both families it has an address in
    CHECK(to_string(lan.host_routes[0].to) == "0.0.0.0/0");
    CHECK(to_string(lan.host_routes[1].to) == "::/0");
    const InterfaceConfig& wan = config.interfaces[1];
    CHECK(wan.device == "tun9");
    CHECK(wan.netns.empty());
    CHECK(wan.mtu == 1400);
    REQUIRE(wan.host_routes.size() == 1);
    CHECK(to_string(*wan.host_routes[0].via) == "198.51.100.9");
}

TEST_CASE("the fast path can be told how to wait, and to leave packets alone") {
    const auto spin_of = [](const std::string& text) {
        return good(std::string(kInterfaces) + "[router]\nspin = \"" + text + "\"\n").spin;
    };
    CHECK(spin_of("off") == Duration{});
    CHECK(spin_of("busy") == kSpinBusy);
    CHECK(spin_of("1us") == std::chrono::microseconds(1));
    CHECK(spin_of("1000us") == std::chrono::microseconds(1000));
    CHECK_FALSE(good(std::string(kInterfaces) + "[router]\ncoalesce = false\n").coalesce);
    CHECK_FALSE(good(std::string(kInterfaces) + "[router]\nring = false\n").ring);
}

TEST_CASE("the listener and the socket can be switched off") {
    const Config config = good(kInterfaces + "[control]\nlisten = \"\"\nunix = \"\"\n");
    CHECK(config.control.address.empty());
    CHECK(config.control.unix_path.empty());
    const Config six = good(kInterfaces + "[control]\nlisten = \"[::1]:80\"\n");
    CHECK(six.control.address == "::1");
    CHECK(six.control.port == 80);
}

TEST_CASE("explicit sysctls override the file, whose unknown keys are only warned about") {
    const Folder folder;
    folder.write("sysctl.conf",
                 "# a whole host's settings\n"
                 "vm.swappiness = 10\n"
                 "net/netfilter/nf_conntrack_udp_timeout = 17\n"
                 "-net.netfilter.nf_conntrack_acct = 7\n"
                 "net.netfilter.nf_conntrack_icmp_timeout=5\n");
    const Config config = folder.load(kInterfaces + R"([sysctl]
"net.netfilter.nf_conntrack_icmp_timeout" = 9
net.netfilter.nf_conntrack_generic_timeout = 11
file = "sysctl.conf"
)");
    REQUIRE(config.warnings.size() == 2);
    CHECK(to_string(config.warnings[0]).find("sysctl.conf:2:1: unknown sysctl") !=
          std::string::npos);
    const auto options = router_options(config, std::uint64_t{2} << 30);
    REQUIRE(options.ok());
    CHECK(options->settings.conntrack.timeouts.udp == 17);
    CHECK(options->settings.conntrack.timeouts.icmp == 9);
    CHECK(options->settings.conntrack.timeouts.generic == 11);
    CHECK(options->settings.conntrack.acct == 0);
}

TEST_CASE("tolerated extensions load with a warning each") {
    const std::string rule =
        "[[rules.filter.FORWARD]]\nrule = \"-m geoip --src-cc CN -j DROP\"\nfamily = \"ipv4\"\n";
    const Config named = good(kInterfaces + "[rules]\ntolerate = [\"geoip\"]\n" + rule);
    REQUIRE(named.warnings.size() == 1);
    CHECK(named.warnings[0].message ==
          "match \"geoip\" is not supported: it is an extension of other kernels; it is tolerated, "
          "and never matches");
    CHECK(good(kInterfaces + "[rules]\ntolerate = \"all\"\n" + rule).warnings.size() == 1);
}

TEST_CASE("rules that are legal and surely not meant are warned about") {
    const Folder folder;
    folder.write("rules.v4",
                 "*filter\n-A FORWARD -i lan -j ACCEPT\n-A FORWARD -i lo -j ACCEPT\n"
                 "-A FORWARD -i host -j DROP\n-A FORWARD -i lan -o wan\nCOMMIT\n");
    const std::string rules = "[rules]\nipv4 = \"rules.v4\"\n";
    const Config config = folder.load(kInterfaces + rules);
    REQUIRE(config.warnings.size() == 2);
    CHECK(warning_text(config.warnings[0]).find("rules.v4:4: warning: there is no interface") !=
          std::string::npos);
    CHECK(warning_text(config.warnings[1]).find("rules.v4:5: warning: matches nothing: line 2") !=
          std::string::npos);
    CHECK(folder.load(kInterfaces + "[host]\nnetns = \"own\"\n" + rules).warnings.size() == 1);
}

TEST_CASE("sysctls take effect whether or not tracking is on at the start") {
    const Config config = good(kInterfaces + R"([conntrack]
mode = "off"
[sysctl]
"net.netfilter.nf_conntrack_udp_timeout" = 21
"net.ipv4.conf.wan.rp_filter" = 1
"net.ipv4.ipfrag_time" = 3
)");
    const auto options = router_options(config, std::uint64_t{2} << 30);
    REQUIRE(options.ok());
    CHECK(options->settings.conntrack.timeouts.udp == 21);
    CHECK(options->settings.defrag.ipfrag_time == 3);
    CHECK(options->settings.forwarding.rp_filter.of(static_cast<IfIndex>(2)) == 1);
    CHECK(options->settings.forwarding.ipv4_forwarding.all == 1);
}

TEST_CASE("the table is sized by memory unless the file says otherwise") {
    const auto sizes = [](const std::string& text, std::uint64_t memory) {
        const auto options = router_options(good(kInterfaces + text), memory);
        REQUIRE(options.ok());
        return std::pair(options->settings.conntrack.buckets, options->settings.conntrack.max);
    };
    CHECK(sizes("", std::uint64_t{128} << 20) == std::pair(2048u, 8192u));
    CHECK(sizes("", std::uint64_t{2} << 30) == std::pair(16384u, 65536u));
    CHECK(sizes("[sysctl]\n\"net.nf_conntrack_max\" = 1000\n", std::uint64_t{2} << 30).second ==
          1000);
}

TEST_CASE("rules: files first, native rules appended, policies override") {
    const Folder folder;
    folder.write("rules.v4",
                 "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n"
                 ":MINE - [0:0]\n-A FORWARD -p icmp -j MINE\nCOMMIT\n");
    const Config config = folder.load(kInterfaces + R"([rules]
ipv4 = "rules.v4"
policy.filter.FORWARD = "DROP"

[[rules.filter.FORWARD]]
protocol = "tcp"
dport = 80
jump = "ACCEPT"

[[rules.filter.MINE]]
jump = "RETURN"
)");
    using rules::TableId;
    const rules::Chain& forward = chain(config, Family::Ipv4, TableId::Filter, "FORWARD");
    CHECK(forward.policy == rules::Policy::Drop);
    REQUIRE(forward.rules.size() == 2);
    CHECK(forward.rules[0].where.file.ends_with("rules.v4"));
    CHECK(forward.rules[1].where.file.ends_with("demo.toml"));
    CHECK(forward.rules[0].id != forward.rules[1].id);
    // A rule for a chain that only the IPv4 file declares stays in IPv4.
    CHECK(chain(config, Family::Ipv4, TableId::Filter, "MINE").rules.size() == 1);
    CHECK(config.ruleset.table(Family::Ipv6, TableId::Filter).find("MINE") == nullptr);
    CHECK(chain(config, Family::Ipv6, TableId::Filter, "FORWARD").rules.size() == 1);
    CHECK(config.rule_tables4 == std::vector<std::string>{"filter"});
}

TEST_CASE("native rules keep the file's order and go to the families that can hold them") {
    const Config config = good(kInterfaces + R"(
[rules]
chains.filter = ["LOGDROP"]

[[rules.filter.FORWARD]]
source = "10.0.1.0/24"
jump = "LOGDROP"

[[rules.filter.FORWARD]]
family = "ipv6"
jump = "DROP"

[[rules.filter.FORWARD]]
source = ["10.0.1.2", "10.0.1.3"]
destination = ["192.0.2.1", "192.0.2.2"]
jump = "ACCEPT"

[[rules.filter.LOGDROP]]
rule = "-j DROP"
)");
    using rules::TableId;
    const rules::Chain& v4 = chain(config, Family::Ipv4, TableId::Filter, "FORWARD");
    const rules::Chain& v6 = chain(config, Family::Ipv6, TableId::Filter, "FORWARD");
    CHECK(v4.rules.size() == 5);  // one, and two sources times two destinations
    REQUIRE(v6.rules.size() == 1);
    CHECK(v4.rules[0].where.line < v4.rules[1].where.line);
    CHECK(chain(config, Family::Ipv4, TableId::Filter, "LOGDROP").rules.size() == 1);
    CHECK(chain(config, Family::Ipv6, TableId::Filter, "LOGDROP").rules.size() == 1);
    CHECK_FALSE(config.ruleset.table(Family::Ipv6, TableId::Nat).loaded);
}

TEST_CASE("a native rule goes to the family of the set that it names") {
    const Folder folder;
    folder.write("sets.ipset", "create six hash:net family inet6\nadd six fd00::/8\n");
    const Config config = folder.load(kInterfaces + R"(
[sets.four]
type = "hash:ip"
[sets.ports]
type = "bitmap:port"
range = "0-1023"

[rules]
ipset = "sets.ipset"
[[rules.filter.FORWARD]]
rule = "-m set --match-set four src -j DROP"
[[rules.filter.FORWARD]]
rule = "-m set ! --match-set six dst -j DROP"
[[rules.filter.FORWARD]]
rule = "-m set --match-set ports dst -j DROP"
[[rules.filter.FORWARD]]
rule = "-p udp -j SET --add-set four src"
)");
    using rules::TableId;
    CHECK(chain(config, Family::Ipv4, TableId::Filter, "FORWARD").rules.size() == 3);
    CHECK(chain(config, Family::Ipv6, TableId::Filter, "FORWARD").rules.size() == 2);

    const auto mixed = parse_config(kInterfaces + R"(
[sets.four]
type = "hash:ip"
[[rules.filter.FORWARD]]
rule = "-s fd00::1 -m set --match-set four src -j DROP"
)",
                                    "demo.toml");
    REQUIRE_FALSE(mixed.ok());
    CHECK(to_string(mixed.error().front()).find("mixes what only IPv4 has") != std::string::npos);
}

TEST_CASE("replay events are sorted by time and checkpoints ascend") {
    const Config config = good(kInterfaces + R"([replay]
checkpoints = [2, 0.5]
settle = 0.03

[[replay.event]]
at = 3
sysctl = { "net.netfilter.nf_conntrack_acct" = 1 }

[[replay.event]]
at = 1.5
conntrack = ["-F"]
ip = ["link set wan mtu 1300"]
)");
    using std::chrono::milliseconds;
    CHECK(config.replay.checkpoints ==
          std::vector<Duration>{milliseconds(500), milliseconds(2000)});
    CHECK(config.replay.settle == milliseconds(30));
    REQUIRE(config.replay.events.size() == 2);
    CHECK(config.replay.events[0].at == milliseconds(1500));
    CHECK(config.replay.events[1].sysctls[0].value == "1");
}

}  // namespace nsr::router
