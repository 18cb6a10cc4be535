// Who may do what: the modes, and every endpoint and file of the control port walked with them.
#include "router/http/rights.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "tests/unit/router/control/port_fixture.hpp"

namespace nsr::router {
namespace {

constexpr Caller kRoot{0, true};
constexpr Caller kNobody{65534, false};
constexpr Caller kNobodyWithToken{65534, true};

// Whether everybody may; the owner always may. A new endpoint needs a line here.
const std::map<std::pair<std::string, std::string>, bool> kForEverybody = {
    {{"GET", "/"}, true},
    {{"GET", "/dashboard.css"}, true},
    {{"GET", "/dashboard.js"}, true},
    {{"GET", "/status"}, true},
    {{"GET", "/metrics"}, true},
    {{"GET", "/log"}, false},
    {{"PUT", "/log"}, false},
    {{"DELETE", "/log"}, false},
    {{"GET", "/sysctl"}, true},
    {{"GET", "/config"}, false},
    {{"GET", "/conntrack"}, false},
    {{"DELETE", "/conntrack"}, false},
    {{"POST", "/conntrack"}, false},
    {{"GET", "/expectations"}, false},
    {{"GET", "/routes"}, true},
    {{"GET", "/routing-rules"}, true},
    {{"GET", "/top"}, false},
    {{"GET", "/events"}, false},
    {{"GET", "/nflog/"}, false},
    {{"GET", "/rules"}, false},
    {{"GET", "/rules.json"}, false},
    {{"PUT", "/rules"}, false},
    {{"POST", "/rules"}, false},
    {{"DELETE", "/rules"}, false},
    {{"POST", "/iptables"}, false},
    {{"GET", "/sets"}, false},
    {{"GET", "/sets.json"}, false},
    {{"GET", "/sets/"}, false},
    {{"PUT", "/sets/"}, false},
    {{"DELETE", "/sets/"}, false},
    {{"POST", "/ipset"}, false},
    {{"POST", "/nfct"}, false},
    {{"GET", "/nat"}, false},
    {{"POST", "/nat"}, false},
    {{"POST", "/ip"}, true},
    {{"GET", "/module"}, true},
    {{"PUT", "/module"}, false},
    {{"GET", "/trace"}, false},
    {{"GET", "/trace.json"}, false},
    {{"GET", "/capture"}, false},
    {{"GET", "/explain"}, false},
    {{"GET", "/explain.json"}, false},
    {{"POST", "/explain"}, false},
    {{"POST", "/explain.json"}, false},
    {{"GET", "/why"}, false},
    {{"GET", "/why.json"}, false},
    {{"POST", "/reload"}, false},
    {{"POST", "/stop"}, false},
};

// Files that are not "everybody reads, the owner writes what is writable".
const std::map<std::string, unsigned> kModes = {
    {"/dev/kmsg", 0400},
    {"/proc/net/ip_tables_names", 0440},
    {"/proc/net/ip6_tables_names", 0440},
    {"/proc/net/ip_conntrack", 0440},
    {"/proc/net/nf_conntrack", 0440},
    {"/proc/net/nf_conntrack_expect", 0440},
    {"/proc/nsrouter/conntrack_mode", 0644},
    {"/proc/nsrouter/drops", 0440},
    {"/proc/nsrouter/nat_mappings", 0440},
    {"/proc/nsrouter/nat_ports", 0440},
};

void files_below(const procfs::Tree& tree, const std::string& folder,
                 std::vector<std::string>& files) {
    const auto entries = tree.list(folder);
    REQUIRE(entries.ok());
    for (const procfs::Tree::Entry& entry : *entries) {
        std::string path = folder + "/" + entry.name;
        if (entry.directory) {
            files_below(tree, path, files);
        } else {
            files.push_back(std::move(path));
        }
    }
}

}  // namespace

TEST_CASE("rights: root, the router's user and nobody else are the owner") {
    const Owners alice{1000, std::nullopt};
    CHECK(alice.include(0));
    CHECK(alice.include(1000));
    CHECK_FALSE(alice.include(1001));
    CHECK_FALSE(alice.include(std::nullopt));
}

TEST_CASE("rights: in a user namespace the number of unknown users is nobody's") {
    const Owners nobody{65534, 65534};
    CHECK(nobody.include(0));
    CHECK_FALSE(nobody.include(65534));
    const Owners where_all_are_known{65534, std::nullopt};
    CHECK(where_all_are_known.include(65534));
}

TEST_CASE("rights: the owner has the first bits, others the last, a group none") {
    for (const unsigned mode : {0444u, 0644u, 0440u, 0400u, 0200u, 0222u, 0000u}) {
        CAPTURE(mode);
        CHECK(may(Access::Read, mode, kRoot) == ((mode & 0400) != 0));
        CHECK(may(Access::Write, mode, kRoot) == ((mode & 0200) != 0));
        CHECK(may(Access::Read, mode, kNobody) == ((mode & 0004) != 0));
        CHECK(may(Access::Write, mode, kNobody) == ((mode & 0002) != 0));
    }
}

TEST_CASE("rights: a refusal says why, and what would help") {
    const std::string text = why_not("GET /log", 0400, kNobody);
    CHECK(text.find("EACCES: Permission denied") == 0);
    CHECK(text.find("GET /log is for its owner, mode 0400") != std::string::npos);
    CHECK(text.find("you are uid 65534") != std::string::npos);
    CHECK(text.find("as root") != std::string::npos);
    CHECK(text.find("token") == std::string::npos);
    const Caller guest{65534, false, true};
    CHECK(why_not("GET /log", 0400, guest).find("Authorization: Bearer TOKEN") !=
          std::string::npos);
}

TEST_CASE("rights: every endpoint, for its owner and for others") {
    PortFixture ported;
    for (const ControlPort::Endpoint& endpoint : ControlPort::endpoints()) {
        const std::string method(endpoint.method);
        const std::string path(endpoint.path);
        CAPTURE(method);
        CAPTURE(path);
        const auto expected = kForEverybody.find({method, path});
        REQUIRE(expected != kForEverybody.end());
        CHECK((ported.ask(method, path, {.caller = kNobody}).status == 403) == !expected->second);
        CHECK(ported.ask(method, path, {.caller = kRoot}).status != 403);
        CHECK(ported.ask(method, path, {.caller = kNobodyWithToken}).status != 403);
    }
    CHECK(ControlPort::endpoints().size() == kForEverybody.size());
    CHECK(ported.reloads == 2);
    CHECK(ported.stops == 2);
}

TEST_CASE("rights: ip shows to everybody and changes for the owner") {
    PortFixture ported;
    CHECK(ported.ask("POST", "/ip", {.body = "route\nshow", .caller = kNobody}).status == 200);
    CHECK(
        ported
            .ask("POST", "/ip", {.body = "route\nadd\nblackhole\n192.0.2.0/24", .caller = kNobody})
            .status == 403);
    CHECK(
        ported.ask("POST", "/ip", {.body = "route\nadd\nblackhole\n192.0.2.0/24", .caller = kRoot})
            .status == 200);
}

TEST_CASE("rights: every file, by the kernel's mode") {
    PortFixture ported;
    std::vector<std::string> files;
    files_below(ported.tree(), "", files);
    CHECK(files.size() > 60);
    for (const std::string& path : files) {
        CAPTURE(path);
        const unsigned mode = ported.tree().stat(path)->mode;
        const std::string in_net =
            path.starts_with("/proc/self/net/") ? "/proc" + path.substr(10) : path;
        const auto special = kModes.find(in_net);
        if (special != kModes.end()) {
            CHECK(mode == special->second);
        } else {
            const bool sysctl = path.starts_with("/proc/sys/");
            CHECK((mode == 0444 || (sysctl && mode == 0644)));
        }
        CHECK((ported.ask("GET", path, {.caller = kNobody}).status == 403) == ((mode & 0004) == 0));
        CHECK(ported.ask("GET", path, {.caller = kRoot}).status == 200);
        CHECK(ported.ask("PUT", path, {.body = "1", .caller = kNobody}).status == 403);
        const unsigned written = ported.ask("PUT", path, {.body = "?", .caller = kRoot}).status;
        CHECK((written == 403) == ((mode & 0200) == 0));
    }
}

}  // namespace nsr::router
