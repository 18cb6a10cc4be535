// A bundle opened: the router that it makes, and what it refuses.
#include "router/bundle/bundle.hpp"

#include <doctest/doctest.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "core/sets/sets.hpp"
#include "router/bundle/past_why.hpp"
#include "router/config/build.hpp"

namespace nsr::router {
namespace {

constexpr std::uint64_t kMemory = std::uint64_t{2} << 30;

// As a router printed it.
Bundle some() {
    Bundle bundle;
    bundle.program = "nsrouter 0.1.0";
    bundle.instance = "demo";
    bundle.made_ns = 1764504000'000000000;
    bundle.config = "config/router.toml";
    bundle.files = {
        {"config/router.toml",
         "[[interface]]\nname = \"lan\"\nnetns = \"a\"\naddress = [\"10.0.0.1/24\"]\n"
         "[[interface]]\nname = \"wan\"\nnetns = \"b\"\naddress = [\"192.0.2.1/24\"]\n"
         "[[route]]\nto = \"default\"\nvia = \"192.0.2.9\"\n"
         "[rules]\nipv4 = \"/nonexistent/rules.v4\"\n[sysctl]\nfile = \"/nonexistent\"\n"},
        {"interfaces.txt",
         "1: lan: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1400 state UP\n"
         "    inet 10.0.0.1/24 scope global lan\n    inet 10.0.5.1/24 scope global lan\n"
         "2: wan: <POINTOPOINT,NOARP> mtu 1500 state DOWN\n"
         "    inet 192.0.2.1/24 scope global wan\n"},
        {"rules.v4",
         "*filter\n:FORWARD DROP [5:300]\n-A FORWARD -m set --match-set s src -j ACCEPT\n"
         "COMMIT\n"},
        {"rules.v6", ""},
        {"sets.ipset", "create s hash:ip\nadd s 10.0.0.2\n"},
        {"sysctl.conf",
         "net.ipv4.ip_default_ttl = 77\nnet.netfilter.nf_conntrack_count = 3\n"
         "net.ipv4.conf.gone.rp_filter = 1\nnet.ipv4.conf.lan.forwarding = 0\n"
         "net.ipv4.conf.all.forwarding = 1\nnet.ipv4.conf.lan.rp_filter = 2\n"},
        {"conntrack_mode.txt", "on\n"},
        {"routes.txt",
         "default via 10.6.0.1 dev lan\n10.0.0.0/24 dev lan proto kernel scope link src 10.0.0.1\n"
         "10.9.0.0/16 via 10.0.0.7 dev lan metric 5\nblackhole 10.8.0.0/16\n"
         "10.7.0.0/16\n\tnexthop via 10.0.0.7 dev lan weight 1\n\tnexthop via 10.0.5.7 dev lan "
         "weight 2\n10.6.0.0/16 dev lan scope link\n10.5.0.0/16 via 10.0.0.7 dev gone\n"},
        {"routes6.txt", ""},
        {"routing-rules.txt",
         "0:\tfrom all lookup local\n100:\tfrom 10.0.0.0/8 lookup 5\n32766:\tfrom all lookup "
         "main\n32767:\tfrom all lookup default\n"},
        {"conntrack.txt",
         "-A -t 100 -u SEEN_REPLY,ASSURED -s 10.0.0.2 -d 192.0.2.7 -r 192.0.2.7 -q 10.0.0.2 -p tcp "
         "--sport 4000 --dport 80 --reply-port-src 80 --reply-port-dst 4000 --state "
         "ESTABLISHED\n"},
        {"why.json",
         "{\"id\":1,\"verdict\":\"dropped\",\"in\":\"lan\",\"reason\":\"policy_drop\",\"zone\":0,"
         "\"mark\":0,\"head\":\"4500001c00000000401100000a000002c0000207"
         "0fa0003500080000\"}\n"
         "{\"id\":2,\"verdict\":\"left\",\"in\":\"wan\",\"state\":\"INVALID\",\"zone\":1,\"mark\":"
         "0,"
         "\"head\":\"45\"}\n"},
        {"why.txt", "#1 at 5 (1 s ago): dropped\n    packet: one\n#2 at 6: INVALID\n    two\n"}};
    return bundle;
}

std::string why(const Bundle& bundle, const std::string& filter, std::size_t last = 0) {
    const auto parsed = Filter::parse(filter);
    REQUIRE(parsed.ok());
    const auto told = why_of(bundle, *parsed, last, false);
    REQUIRE(told.ok());
    return *told;
}

}  // namespace

TEST_CASE("bundle: a router that begins as that one was") {
    const Bundle bundle = some();
    const auto config = config_of(bundle, kMemory);
    REQUIRE(config.ok());
    CHECK(config->conntrack.mode == TrackingMode::On);
    auto options = router_options(*config, kMemory);
    REQUIRE(options.ok());
    Router router(std::move(*options));
    REQUIRE(fill_router(router, *config, bundle.made()).empty());
    const ConfigErrors told = begin_network(bundle, *config, router, bundle.made());
    REQUIRE(told.size() == 1);
    CHECK(told.front().message.find("ip -4 route append 10.5.0.0/16 via 10.0.0.7 dev gone: ") == 0);
    CHECK(router.settings().forwarding.ip_default_ttl == 77);
    CHECK(router.settings().forwarding.rp_filter.of(IfIndex{1}) == 2);
    CHECK(router.settings().forwarding.ipv4_forwarding.of(IfIndex{1}) == 0);
    const routing::Interface* lan = router.interfaces().find("lan");
    REQUIRE(lan != nullptr);
    CHECK(lan->mtu == 1400);
    CHECK(lan->addresses.size() == 2);
    CHECK_FALSE(router.interfaces().find("wan")->up);
    CHECK(router.routes().configured().size() == 5);
    CHECK(router.sets().id_of("s").has_value());
    CHECK(begin_connections(bundle, router, bundle.made()).empty());
    CHECK(router.conntrack().table().size() == 1);
}

TEST_CASE("bundle: lines that somebody spoiled are told with their place") {
    Bundle bundle = some();
    const auto spoil = [&](std::string_view name, const std::string& text) {
        for (ArchivedFile& file : bundle.files) {
            file.bytes = file.name == name ? text : file.bytes;
        }
    };
    spoil("sysctl.conf", "net.ipv4.ip_default_ttl = 77\nwhat is this\n");
    spoil("conntrack_mode.txt", "perhaps\n");
    const auto refused = config_of(bundle, kMemory);
    REQUIRE_FALSE(refused.ok());
    REQUIRE(refused.error().size() == 2);
    CHECK(to_string(refused.error()[0]).starts_with("sysctl.conf:2:"));
    CHECK(to_string(refused.error()[1]) ==
          "conntrack_mode.txt:1: \"perhaps\" is no mode of tracking");

    bundle = some();
    spoil("routing-rules.txt", "0:\tfrom all lookup local\nfrom 10.0.0.0/8 lookup 5\n");
    const auto config = config_of(bundle, kMemory);
    REQUIRE(config.ok());
    auto options = router_options(*config, kMemory);
    REQUIRE(options.ok());
    Router router(std::move(*options));
    REQUIRE(fill_router(router, *config, bundle.made()).empty());
    const ConfigErrors told = begin_network(bundle, *config, router, bundle.made());
    CHECK(to_string(told.front()) == "routing-rules.txt:2: is no routing rule: left out");
}

TEST_CASE("bundle: without what a router does packets by, it is none") {
    for (const char* needed : {"rules.v4", "sets.ipset", "sysctl.conf", "routes.txt"}) {
        Bundle bundle = some();
        std::erase_if(bundle.files, [&](const auto& file) { return file.name == needed; });
        const auto config = config_of(bundle, kMemory);
        REQUIRE_FALSE(config.ok());
        CHECK(to_string(config.error().front()).starts_with(std::string(needed) + ": is not in"));
    }
}

TEST_CASE("bundle: written and opened again, or refused with what is wrong") {
    const std::string path = std::string(std::tmpnam(nullptr)) + ".tar";
    const auto put = [&](const std::string& bytes) {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
        return open_bundle(path);
    };
    Bundle given = some();
    given.missing = {{"capture.pcapng", "off"}};
    given.anonymous = true;
    const auto opened = put(tar_of(given));
    REQUIRE(opened.ok());
    CHECK(opened->instance == "demo");
    CHECK(opened->made() == given.made());
    CHECK(opened->anonymous);
    REQUIRE(opened->missing.size() == 1);
    CHECK(opened->missing.front().why == "off");
    REQUIRE(opened->find("rules.v4") != nullptr);
    CHECK(*opened->find("rules.v4") == *given.find("rules.v4"));
    CHECK(put("nothing").error() == path + ": it is no tar archive, or has nothing in it");
    CHECK(put(tar_of({{"a", "b"}}, 0)).error().find("`nsrouter bundle` did not make it") !=
          std::string::npos);
    for (const char* manifest : {"{", "[]", "{\"bundle\":2}", "{}"}) {
        CHECK_FALSE(put(tar_of({{"nsrouter-bundle/bundle.json", manifest}}, 0)).ok());
    }
    std::remove(path.c_str());
    CHECK(open_bundle(path).error() == path + ": No such file or directory");
    given.files.erase(given.files.begin());
    CHECK_FALSE(config_of(given, kMemory).ok());
    given = some();
    given.files[2].bytes = "*filter\n-A FORWARD -j NOWHERE\nCOMMIT\n";
    CHECK_FALSE(config_of(given, kMemory).ok());
}

TEST_CASE("bundle: its records are asked as those of a router") {
    const Bundle bundle = some();
    CHECK(why(bundle, "") == *bundle.find("why.txt"));
    CHECK(why(bundle, "", 1) == "#2 at 6: INVALID\n    two\n");
    CHECK(why(bundle, "reason:policy_drop") == "#1 at 5 (1 s ago): dropped\n    packet: one\n");
    CHECK(why(bundle, "udp port 53").find("#1") == 0);
    CHECK(why(bundle, "udp port 54").empty());
    CHECK(why(bundle, "zone:1 state:INVALID in:wan").find("#2") == 0);
    Bundle damaged = some();
    for (ArchivedFile& file : damaged.files) {
        file.bytes = file.name == "why.json" ? "{\"id\":1\n" : file.bytes;
    }
    CHECK_FALSE(why_of(damaged, Filter(), 0, true).ok());
}

}  // namespace nsr::router
