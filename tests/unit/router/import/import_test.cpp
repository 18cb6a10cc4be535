// A machine's answers, written by hand, and the configuration that they become.
#include "router/import/import.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "router/config/load.hpp"
#include "router/import/dumps.hpp"
#include "router/import/script.hpp"

namespace nsr::router {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMemory = std::uint64_t{2} << 30;
constexpr const char* kLinks =
    "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN\n"
    "2: lan@if7: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP\n"
    "3: wan: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1400 qdisc fq state UP\n"
    "4: spare: <BROADCAST,MULTICAST> mtu 1500 qdisc noop state DOWN\n";
constexpr const char* kAddresses =
    "1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever\n"
    "1: lo    inet 10.255.0.1/32 scope global lo\\       valid_lft forever preferred_lft forever\n"
    "1: lo    inet6 ::1/128 scope host \\       valid_lft forever preferred_lft forever\n"
    "2: lan    inet 10.0.0.1/24 scope global lan\\       valid_lft forever preferred_lft forever\n"
    "2: lan    inet6 fd00::1/64 scope global \\       valid_lft forever preferred_lft forever\n"
    "3: wan    inet 192.0.2.1/24 scope global wan\\       valid_lft forever preferred_lft forever\n"
    "4: spare    inet 10.7.0.1/24 scope global spare\\       valid_lft forever preferred_lft "
    "forever\n";
constexpr const char* kRoutes4 =
    "default via 192.0.2.9 dev wan proto dhcp metric 100 \n"
    "10.0.0.0/24 dev lan proto kernel scope link src 10.0.0.1 \n"
    "192.0.2.0/24 dev wan proto kernel scope link src 192.0.2.1 \n"
    "local 10.0.0.1 dev lan table local proto kernel scope host src 10.0.0.1 \n"
    "broadcast 10.0.0.255 dev lan table local proto kernel scope link src 10.0.0.1 \n"
    "local 10.255.0.1 dev lo table local proto kernel scope host src 10.255.0.1 \n"
    "local 127.0.0.0/8 dev lo table local proto kernel scope host src 127.0.0.1 \n"
    "local 10.7.0.1 dev spare table local proto kernel scope host src 10.7.0.1 \n";
constexpr const char* kRoutes6 =
    "fd00::/64 dev lan proto kernel metric 256 pref medium\n"
    "local ::1 dev lo table local proto kernel metric 0 pref medium\n"
    "anycast fd00:: dev lan table local proto kernel metric 0 pref medium\n"
    "local fd00::1 dev lan table local proto kernel metric 0 pref medium\n"
    "multicast ff00::/8 dev lan table local proto kernel metric 256 pref medium\n";
constexpr const char* kRules =
    "0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n";

// The dumps in a folder, and another for what becomes of them.
class Machine {
  public:
    Machine() : folder_(make_folder()) {
        fs::create_directories(folder_ / "from");
        fs::create_directories(folder_ / "into");
        dumps = {
            {"links.txt", kLinks},     {"addresses.txt", kAddresses}, {"routes4.txt", kRoutes4},
            {"routes6.txt", kRoutes6}, {"rules4.txt", kRules},        {"rules6.txt", kRules},
            {"iptables.txt", ""},      {"ip6tables.txt", ""},         {"ipset.txt", ""},
            {"sysctl.txt", ""},        {"conntrack.txt", ""}};
    }
    Machine(const Machine&) = delete;
    Machine& operator=(const Machine&) = delete;
    ~Machine() { fs::remove_all(folder_); }

    Result<Imported, ConfigErrors> import() {
        for (const auto& [name, text] : dumps) {
            std::ofstream(folder_ / "from" / name) << text;
        }
        return import_host((folder_ / "from").string(), (folder_ / "into").string(), kMemory);
    }
    [[nodiscard]] std::string file(const char* name) const {
        std::ostringstream text;
        text << std::ifstream(folder_ / "into" / name).rdbuf();
        return text.str();
    }
    [[nodiscard]] Result<Config, ConfigErrors> config() const {
        return load_config((folder_ / "into" / kImportedConfig).string(), kMemory);
    }
    [[nodiscard]] bool says(const std::string& text) const {
        return file(kImportedConfig).find(text) != std::string::npos;
    }

    std::map<std::string, std::string> dumps;

  private:
    static fs::path make_folder() {
        std::string name = (fs::temp_directory_path() / "nsr-import-XXXXXX").string();
        REQUIRE(::mkdtemp(name.data()) != nullptr);
        return name;
    }
    fs::path folder_;
};

std::string lines(const ConfigErrors& all) {
    std::string text;
    for (const ConfigError& each : all) {
        text += to_string(each) + "\n";
    }
    return text;
}

}  // namespace

TEST_CASE_FIXTURE(Machine, "import: interfaces, addresses and routes become those of a router") {
    const auto done = import();
    REQUIRE_MESSAGE(done.ok(), lines(done ? ConfigErrors{} : done.error()));
    CHECK(lines(done->left_out).empty());
    CHECK(lines(done->notes).empty());
    CHECK(done->interfaces == 4);
    CHECK(done->addresses == 5);
    CHECK(done->routes == 1);
    CHECK(file(kImportedConfig) == R"([control]
listen = ""

[conntrack]
mode = "auto"

[[interface]]
name = "loopback"
address = [
    "10.255.0.1/32",
]

[[interface]]
name = "lan"
mtu = 1500
address = [
    "10.0.0.1/24",
    "fd00::1/64",
]

[[interface]]
name = "wan"
mtu = 1400
address = [
    "192.0.2.1/24",
]

[[interface]]
name = "spare"
mtu = 1500
up = false
address = [
    "10.7.0.1/32",
]

[[route]]
to = "0.0.0.0/0"
via = "192.0.2.9"
interface = "wan"
metric = 100

[rules]
)");
    CHECK(config().ok());
}

TEST_CASE_FIXTURE(Machine, "import: JSON counts before text, and knows the kinds of interfaces") {
    dumps["addresses.json"] =
        R"([{"ifname":"lan","flags":["BROADCAST","UP"],"mtu":1500,"linkinfo":{"info_kind":"veth"},)"
        "\n"
        R"("addr_info":[{"family":"inet","local":"10.0.0.1","prefixlen":24}]},
{"ifname":"wg0","flags":["UP"],"mtu":1420,"linkinfo":{"info_kind":"wireguard"},
"addr_info":[{"family":"inet","local":"10.4.0.1","address":"10.4.0.2","prefixlen":32}]},
{"ifname":"blue","flags":["UP"],"mtu":1500,"linkinfo":{"info_kind":"vrf"},"addr_info":[]}])";
    dumps["routes4.txt"] =
        "10.0.0.0/24 dev lan proto kernel scope link src 10.0.0.1 \n"
        "10.4.0.2 dev wg0 proto kernel scope link src 10.4.0.1 \n";
    dumps["routes6.txt"] = "";
    const auto done = import();
    REQUIRE_MESSAGE(done.ok(), lines(done ? ConfigErrors{} : done.error()));
    CHECK(done->interfaces == 3);
    CHECK(says("\"10.4.0.1/32\""));
    CHECK(says("to = \"10.4.0.2/32\"\ninterface = \"wg0\""));
    CHECK(lines(done->left_out) ==
          "addresses.json: interface blue is of a VRF, and there are none: its packets ask the "
          "tables that [[rule]] names\n");
    CHECK(lines(done->notes) ==
          "addresses.json: interface wg0 (wireguard): what its packets become outside is not part "
          "of it\n");
}

TEST_CASE_FIXTURE(Machine, "import: routes with all that `ip route` says of them") {
    dumps["rt_tables.txt"] = "#\n255\tlocal\n252\tvpn\n";
    dumps["routes4.txt"] += R"(10.1.0.0/16 via 10.0.0.2 dev lan src 10.0.0.1 mtu lock 1400 onlink 
10.2.0.0/16 tos 0x10 via 10.0.0.2 dev lan 
blackhole 10.3.0.0/16 
unreachable 10.4.0.0/16 metric 5 
10.5.0.0/16 \	nexthop via 10.0.0.3 dev lan weight 2 \	nexthop via 192.0.2.3 dev wan weight 1 
default via 192.0.2.7 dev wan table vpn 
10.6.0.0/16 via 10.7.0.9 dev spare dead linkdown 
)";
    dumps["routes6.txt"] +=
        "default via fe80::9 dev wan proto ra metric 1024 expires 1700sec pref high\n";
    const auto done = import();
    REQUIRE_MESSAGE(done.ok(), lines(done ? ConfigErrors{} : done.error()));
    CHECK(lines(done->left_out).empty());
    CHECK(done->routes == 8);
    CHECK(
        says("via = \"10.0.0.2\"\ninterface = \"lan\"\nonlink = true\nsrc = "
             "\"10.0.0.1\"\nmtu_locked = true\nmtu = 1400\n"));
    CHECK(
        says("nexthops = [{ interface = \"lan\", via = \"10.0.0.3\", weight = 2 }, { interface = "
             "\"wan\", via = \"192.0.2.3\", weight = 1 }]"));
    CHECK(says("via = \"192.0.2.7\"\ninterface = \"wan\"\ntable = \"252\""));
    CHECK(says("to = \"::/0\"\nvia = \"fe80::9\""));
}

TEST_CASE_FIXTURE(Machine, "import: a gateway that the next line makes reachable") {
    dumps["routes4.txt"] = "default via 172.31.1.1 dev lan \n172.31.1.1 dev lan scope link \n";
    const auto done = import();
    REQUIRE(done.ok());
    CHECK(lines(done->left_out).empty());
    CHECK(config().ok());
}

TEST_CASE_FIXTURE(Machine, "import: routing rules, in the words of ip rule") {
    dumps["rules4.txt"] =
        "0:\tfrom all lookup local\n"
        "49:\tnot from 10.0.0.0/24 iif lan ipproto tcp dport 80-90 unreachable\n"
        "50:\tfrom all fwmark 0x1/0xff lookup 100 suppress_prefixlength 0 proto static\n"
        "51:\tfrom all uidrange 0-0 lookup 100\n"
        "32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n";
    const auto done = import();
    REQUIRE_MESSAGE(done.ok(), lines(done ? ConfigErrors{} : done.error()));
    CHECK(done->routing_rules == 2);
    CHECK(lines(done->left_out) ==
          "rules4.txt:4: routing rule 51: from all uidrange 0-0 lookup 100: a rule has no "
          "\"uidrange\" here\n");
    CHECK(says("priority = \"49\"\nnot = true\nfrom = \"10.0.0.0/24\"\niif = \"lan\""));
}

TEST_CASE_FIXTURE(Machine, "import: what a router cannot have is left out, with its place") {
    dumps["iptables.txt"] =
        "# Generated by iptables-save\n*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [1:60]\n"
        ":OUTPUT ACCEPT [0:0]\n"
        "[3:180] -A FORWARD -m conntrack --ctstate ESTABLISHED -j ACCEPT\n"
        "[0:0] -A FORWARD -m geoip --source-country CN -j DROP\n"
        "[0:0] -A FORWARD -m set --match-set ports src -j ACCEPT\n"
        "[0:0] -A FORWARD -m set --match-set good src -j ACCEPT\n"
        "COMMIT\n# Completed\n";
    dumps["ipset.txt"] =
        "create good hash:ip family inet hashsize 1024 maxelem 65536 bucketsize 12 initval "
        "0x5fe0a4c1\nadd good 10.0.0.2\ncreate ports hash:quic hashsize 1024\n";
    dumps["sysctl.txt"] =
        "kernel.hostname = gateway\nnet.ipv4.conf.lan.accept_local = 1\n"
        "net.ipv4.conf.lan.bc_forwarding = 1\n"
        "net.ipv4.conf.lan.forwarding = 0\nnet.ipv4.conf.lan.rp_filter = 1\nnet.ipv4.ip_forward = "
        "1\nnet.netfilter.nf_conntrack_acct = 7\nnet.netfilter.nf_conntrack_count = 3\n"
        "net.netfilter.nf_conntrack_max = 9999\n";
    dumps["conntrack.txt"] =
        "ipv4     2 udp      17 29 src=10.0.0.2 dst=192.0.2.9 sport=4000 dport=53 src=192.0.2.9 "
        "dst=10.0.0.2 sport=53 dport=4000 mark=0 use=1\nipv4 2 udp 17 what\n";
    dumps["routes4.txt"] +=
        "10.8.0.0/16 encap mpls 100 via inet 10.0.0.2 dev lan \n10.9.0.0/16 via 172.16.0.1 dev lan "
        "\nlocal 10.77.0.0/16 dev lo table local scope host \n10.9/x via 10.0.0.2 dev lan\n";
    const auto done = import();
    REQUIRE_MESSAGE(done.ok(), lines(done ? ConfigErrors{} : done.error()));
    CHECK(
        lines(done->left_out) ==
        "routes4.txt:11: route local 10.77.0.0/16 dev lo table local scope host : routes of type "
        "local are those of addresses\n"
        "routes4.txt:9: route 10.8.0.0/16 encap mpls 100 via inet 10.0.0.2 dev lan : a route has "
        "no \"encap\" here\n"
        "routes4.txt:12: this is no route: 10.9/x via 10.0.0.2 dev lan\n"
        "sysctl.txt:3: net.ipv4.conf.lan.bc_forwarding = 1: directed broadcasts are not "
        "forwarded here\n"
        "conntrack.txt:2: connection: unknown word \"what\"\n"
        "routes4.txt:10: route 10.9.0.0/16 via 172.16.0.1 dev lan : gateway 172.16.0.1 is not "
        "on-link; networks of \"lan\": 10.0.0.0/24, fd00::/64\n"
        "sysctl.txt:7: net.netfilter.nf_conntrack_acct = 7: net.netfilter.nf_conntrack_acct must "
        "be 0..1, not \"7\"\n"
        "iptables.txt:7: [0:0] -A FORWARD -m geoip --source-country CN -j DROP: match \"geoip\" "
        "is not supported: it is an extension of other kernels\n"
        "iptables.txt:8: [0:0] -A FORWARD -m set --match-set ports src -j ACCEPT: Set "
        "ports doesn't exist\n"
        "ipset.txt:3: create ports hash:quic hashsize 1024: Syntax error: typename 'hash:quic' is "
        "unknown\n");
    CHECK(done->rules == 2);
    CHECK(done->sets == 1);
    CHECK(done->sysctls == 5);
    CHECK(done->connections == 1);
    CHECK(
        says("\"net.ipv4.ip_forward\" = \"1\"\n\"net.ipv4.conf.lan.accept_local\" = \"1\"\n"
             "\"net.ipv4.conf.lan.forwarding\" = \"0\"\n\"net.ipv4.conf.lan.rp_filter\" = "
             "\"1\"\n\"net.netfilter.nf_conntrack_max\" = \"9999\"\n"));
    CHECK(file("rules.v4").find("\n# left out: [0:0] -A FORWARD -m geoip") != std::string::npos);
    CHECK(file(kImportedTable).find("\n# left out: ipv4 2 udp 17 what") != std::string::npos);
    CHECK(config().ok());
}

TEST_CASE_FIXTURE(Machine, "import: rules of nft itself are refused where there are no others") {
    dumps["nft.txt"] =
        "table inet firewall {\n\tset bad {\n\t}\n\tchain forward {\n\t\ttype filter hook forward "
        "priority filter; policy drop;\n\t}\n}\n";
    const auto refused = import();
    REQUIRE(!refused.ok());
    CHECK(lines(refused.error()) ==
          "nft.txt:1: the rules of this machine are nft's own (table inet firewall), and those are "
          "not read; what iptables-save prints is, of iptables-legacy and of iptables-nft alike\n");
    dumps["iptables.txt"] = "*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n";
    dumps["nft.txt"] +=
        "table ip filter {\n\tchain FORWARD {\n\t\ttype filter hook forward priority "
        "filter;\n\t}\n}\n";
    const auto done = import();
    REQUIRE_MESSAGE(done.ok(), lines(done ? ConfigErrors{} : done.error()));
    CHECK(lines(done->left_out) ==
          "nft.txt:1: table inet firewall of nft: its rules are not read, so packets that it "
          "refuses pass here\n");
}

TEST_CASE_FIXTURE(Machine, "import: legacy rules are read, and told where there are others, too") {
    const char* kLegacy = "*filter\n:FORWARD DROP [0:0]\nCOMMIT\n";
    dumps["iptables-legacy.txt"] = kLegacy;
    auto done = import();
    REQUIRE(done.ok());
    CHECK(file("rules.v4") == kLegacy);
    dumps["iptables.txt"] = "*raw\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n";
    done = import();
    REQUIRE(done.ok());
    CHECK(file("rules.v4") == dumps["iptables.txt"]);
    CHECK(lines(done->left_out) ==
          "iptables-legacy.txt: rules of iptables-legacy beside those of iptables-nft in "
          "iptables.txt: a packet meets both there, and the latter here\n");
}

TEST_CASE_FIXTURE(Machine, "import: rules whose end is missing are told") {
    dumps["iptables.txt"] =
        "# Generated by iptables-save v1.8.9\n*filter\nCOMMIT\n# Generated by\n";
    const auto done = import();
    REQUIRE(done.ok());
    CHECK(lines(done->left_out).find("iptables.txt:4: the end is missing") != std::string::npos);
}

TEST_CASE_FIXTURE(Machine, "import: a table that a router has not goes with its rules") {
    dumps["iptables.txt"] =
        "*broute\n:BROUTING ACCEPT [0:0]\n-A BROUTING -j DROP\nCOMMIT\n*filter\n:FORWARD DROP "
        "[0:0]\nCOMMIT\n";
    const auto done = import();
    REQUIRE_MESSAGE(done.ok(), lines(done ? ConfigErrors{} : done.error()));
    CHECK(done->left_out.size() == 4);
    CHECK(done->rules == 0);
    CHECK(config().ok());
}

TEST_CASE_FIXTURE(Machine,
                  "import: dumps that are not there are told, and only interfaces must be") {
    dumps.erase("conntrack.txt");
    dumps.erase("ipset.txt");
    const auto done = import();
    REQUIRE(done.ok());
    CHECK(lines(done->notes) ==
          "ipset.txt: it is not there, so of address sets nothing is known\n"
          "conntrack.txt: it is not there, so of connections nothing is known\n");
    Machine empty;
    empty.dumps.clear();
    const auto refused = empty.import();
    REQUIRE(!refused.ok());
    CHECK(lines(refused.error()) ==
          "links.txt: neither it nor addresses.json is there, so the interfaces are not known\n");
}

TEST_CASE_FIXTURE(Machine, "import: dumps that are no dumps are refused with their place") {
    dumps["addresses.json"] = "[{\"ifname\":\"lan\",\n\"mtu\":}]\n";
    auto done = import();
    REQUIRE(!done.ok());
    CHECK(lines(done.error()).starts_with("addresses.json:2: this is no JSON: "));
    dumps["addresses.json"] = "{\"ifname\":\"lan\"}\n";
    done = import();
    REQUIRE(!done.ok());
    CHECK(lines(done.error()) == "addresses.json: this is no JSON array, as ip -j prints it\n");
}

TEST_CASE_FIXTURE(Machine, "import: lines of ip -o that are none are refused with their place") {
    dumps["addresses.txt"] += "9: nowhere    inet 10.0.0.1/24 scope global\n";
    dumps["links.txt"] += "Cannot open netlink socket\n";
    const auto done = import();
    REQUIRE(!done.ok());
    CHECK(
        lines(done.error()) ==
        "links.txt:5: this is no line of `ip -o link`\n"
        "addresses.txt:8: this is no address of an interface of links.txt, as `ip -o addr` prints "
        "it\n");
}

TEST_CASE_FIXTURE(Machine, "import: names that would be TOML are text") {
    dumps["links.txt"] = "2: a\"]: <UP> mtu 1500\n3: wan: <UP> mtu 1500\n";
    dumps["addresses.txt"] = "3: wan    inet 192.0.2.1/24 scope global\n";
    dumps["routes4.txt"] = "10.0.0.0/8 dev a\"] metric 5]x \n";
    dumps["routes6.txt"] = "";
    const auto done = import();
    REQUIRE_MESSAGE(done.ok(), lines(done ? ConfigErrors{} : done.error()));
    CHECK(done->interfaces == 2);
    CHECK(done->routes == 0);
    CHECK(done->left_out.size() == 1);
}

TEST_CASE("import: the script asks for every dump") {
    const std::string script = import_script();
    for (const DumpRow& row : dump_rows()) {
        CAPTURE(row.file);
        CHECK(script.find(std::string("ask ") + row.file + " '" + row.commands[0] + "'") !=
              std::string::npos);
    }
}

}  // namespace nsr::router
