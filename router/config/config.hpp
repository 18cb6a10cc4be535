// Config: one TOML file as a checked value, in which every name is resolved and every value is in
// range. load.hpp makes it; a plan of what to do is made from it later.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/config_error.hpp"
#include "core/base/instant.hpp"
#include "core/pipeline/router.hpp"
#include "core/procfs/tree.hpp"
#include "core/routing/policy_rule.hpp"
#include "core/routing/route.hpp"
#include "core/rules/ruleset.hpp"
#include "core/rules/words/host_names.hpp"
#include "core/wire/address.hpp"
#include "router/tools/nfct/command.hpp"

namespace nsr::router {

// The TUN device of the [host] namespace.
inline constexpr const char* kHostDevice = "router";
// What the router itself calls the link behind that device.
inline constexpr const char* kHostInterface = "host";
inline constexpr Duration kSpinBusy = Duration::max();

// A value and the place it was written at.
template <class T>
struct Located {
    T value{};
    SourceLocation where;
};

struct ControlConfig {
    std::string address = "127.0.0.1";  // empty: no TCP listener
    std::uint16_t port = 9080;
    std::string unix_path;             // empty: no socket; filled in with /run/nsrouter/<name>.sock
    std::string netns;                 // of the TCP listener; empty: the current one
    std::string token;                 // needed when `address` is not loopback
    std::uint32_t events = 16'384;     // how many are kept for those who listen
    std::uint32_t events_linger = 10;  // seconds that they are kept when nobody listens any more
    SourceLocation where;
};

struct ConntrackConfig {
    TrackingMode mode = TrackingMode::Auto;
    bool activate_on_view = false;
    conntrack::HelperSet helpers = 0;  // that attach themselves to their ports
    SourceLocation where;
};

// A route inside the namespace at the other end of an interface. Without `via`: the router's
// address on that link of the same family.
struct HostRoute {
    Prefix to;
    std::optional<IpAddress> via;
    SourceLocation where;
};

struct InterfaceConfig {
    std::string name;    // what rules, routes and captures call it
    std::string device;  // of the TUN device; `name` unless given
    std::string netns;  // where the device appears: a name, a path, "pid:N"; empty: the current one
    std::vector<Located<Prefix>> addresses;  // the router's own
    std::vector<Located<Prefix>> host_addresses;
    std::vector<HostRoute> host_routes;  // "default" is one entry per family that has an address
    bool host_forwarding = false;        // the namespace routes, too
    std::uint32_t mtu = 1500;
    bool up = true;               // how it begins
    SourceLocation where;         // of the name
    SourceLocation device_where;  // `where` unless given
    SourceLocation netns_where;   // ditto
};

// One of several next hops of a route.
struct HopConfig {
    std::optional<IpAddress> via;
    std::string interface;  // as of a route
    std::uint16_t weight = 1;
    bool onlink = false;
    SourceLocation where;
};

struct RouteConfig {
    Prefix to;
    std::optional<IpAddress> via;
    std::string interface;  // empty: the one whose network holds `via`; also for other types
    routing::RouteType type = routing::RouteType::Unicast;
    routing::Route more;          // table, metric, TOS, source, MTU, onlink
    std::vector<HopConfig> hops;  // not empty: instead of via and interface
    SourceLocation where;
};

// One [[rule]] in each family that it is for; its priority is settled.
struct PolicyRuleConfig {
    routing::PolicyRule rule;
    SourceLocation where;
};

struct SysctlConfig {
    std::string name;  // with dots
    std::string value;
    SourceLocation where;
};

// Rule text to be loaded by a replay event; checked already.
struct RuleFile {
    Family family = Family::Ipv4;
    std::string path;  // as locations show it
    std::string text;
};

// Address sets as they are written: the text of `ipset save` in a file, or commands that [sets]
// stands for, each as its words.
struct SetFile {
    std::string path;  // as locations show it
    std::string text;
};
struct SetsConfig {
    std::optional<SetFile> file;
    std::vector<Located<std::vector<std::string>>> commands;
    // Of what each set is made of, by name: tells whether it has changed.
    std::map<std::string, std::size_t, std::less<>> fingerprints;
};

// A timeout policy, as the command that makes it; what it does not name the sysctls say then.
struct TimeoutConfig {
    NfctArgs add;
    SourceLocation where;
};

struct ReplayEvent {
    Duration at{};
    std::vector<RuleFile> rules;
    std::vector<SysctlConfig> sysctls;
    std::vector<Located<std::string>> conntrack;  // arguments of conntrack(8); see conntrack_args
    std::vector<Located<std::string>> ip;         // see ip_args
    std::vector<Located<std::string>> ipset;      // arguments of ipset(8); see parse_ipset_args
    std::vector<Located<NfctArgs>> nfct;          // arguments of nfct(8)
};

struct ReplayConfig {
    std::vector<Duration> checkpoints;  // ascending
    Duration settle{};
    std::vector<ReplayEvent> events;  // ascending
};

struct Config {
    std::string path;  // as given; relative paths inside are taken from its folder
    std::string name;
    bool offload = true;
    bool coalesce = true;  // small packets of a flow leave as one
    bool ring = true;      // many frames with one system call
    // Of the event loop before it sleeps. 0: none; kSpinBusy: it never sleeps.
    Duration spin = std::chrono::microseconds(50);
    unsigned shards = 1;  // cores that share the flows; 2 and more: see Shard
    SourceLocation shards_where;
    ControlConfig control;
    ConntrackConfig conntrack;
    procfs::LineFormat line_format = procfs::LineFormat::Article;
    std::uint32_t records = 4096;             // of packets that went wrong
    std::vector<InterfaceConfig> interfaces;  // in the file's order, as a start numbers them
    std::string host_netns;                   // empty: no [host], the built-in responder answers
    SourceLocation host_where;                // of that
    std::vector<RouteConfig> routes;
    std::vector<PolicyRuleConfig> policy_rules;
    std::vector<SysctlConfig> sysctls;  // of `file` first, no name twice
    SetsConfig sets;
    std::vector<TimeoutConfig> timeouts;
    rules::Ruleset ruleset;
    rules::HostNames host_names;            // what rules may name, when the configuration was read
    std::vector<std::string> rule_tables4;  // tables named in the rules file, in its order
    std::vector<std::string> rule_tables6;
    ReplayConfig replay;
    std::vector<ConfigError> warnings;
    std::size_t capture_ring_bytes = 0;  // for the last packets of all; 0: they are not kept
    std::vector<std::string> files;      // that it names and that were read: rules, sets, sysctls

    [[nodiscard]] const InterfaceConfig* find_interface(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> interface_names() const;
};

}  // namespace nsr::router
