// The sections of a configuration, one reader each. All take what they find into `config` and
// report the rest; none looks at another section.
#pragma once

#include "core/conntrack/record/timeout_policy.hpp"
#include "router/config/section.hpp"

namespace nsr::router {

// Of an instance or a namespace.
bool is_file_name(std::string_view name);
// router_section.cpp
void read_router(Section section, Config& config);
// sections.cpp
void read_control(Section section, Config& config);
void read_proc(Section section, Config& config);
void read_host(Section section, Config& config);
void read_interfaces(Section& root, Config& config);
// route_section.cpp
void read_routes(Section& root, Config& config);
// policy_section.cpp: [[rule]]. Needs the names of the interfaces.
void read_policy_rules(Section& root, Config& config);
// conntrack_section.cpp
void read_conntrack(Section section, Config& config);
// sysctl_section.cpp
void read_sysctls(Section section, Config& config);
// A table of sysctl names; dotted TOML keys make nested tables, which are put together again.
std::vector<SysctlConfig> sysctl_settings(const TomlValue& table, ConfigErrors& errors);
// Reports a name that does not exist or a value out of range. Needs the names of the interfaces.
void check_sysctl_setting(const SysctlConfig& setting, const Config& config, ConfigErrors& errors);
// rules_section.cpp
void read_rules(Section section, Config& config);
// Of [rules]: before its files are read.
void read_tolerance(Section& section, Config& config);
// rule_files.cpp
// The text of a rules file named at `where`; reported if it cannot be read.
std::optional<RuleFile> read_rule_file(const Located<std::string>& name, Family family,
                                       Config& config, ConfigErrors& errors);
// The tables that an iptables-save text names, in its order.
std::vector<std::string> tables_in(std::string_view text);
// What /etc/hosts and /etc/networks say now; a machine without them has no names.
rules::HostNames host_names_of_this_machine();
// sets_section.cpp: [sets], and the file that `ipset` in [rules] names
void read_sets(Section section, Config& config);
void read_set_file(const Located<std::string>& name, Config& config, ConfigErrors& errors);
// Those that commands create, whatever comes of them.
sets::Catalogue created_sets(const SetsConfig& config);
// Makes the sets aside, takes their fingerprints, and reports what cannot be made, and rules that
// name what is not there.
void check_sets(Config& config, ConfigErrors& errors);
// timeout_section.cpp: [timeout.NAME]
void read_timeouts(Section section, Config& config);
conntrack::TimeoutCatalogue timeouts_of(const Config& config);
// Reports rules that name one that is not there, or that is for something else.
void check_timeouts(const Config& config, ConfigErrors& errors);
// replay_section.cpp
void read_replay(Section section, Config& config);
// check.cpp: what only several sections together can get wrong
void check_config(const Config& config, ConfigErrors& errors);
// check_shards.cpp: what several shards cannot share
void check_shards(const Config& config, ConfigErrors& errors);
// check_routes.cpp: routes that are impossible, or in each other's way
void check_routes(const Config& config, ConfigErrors& errors);
// check_addresses.cpp: addresses that are used twice, networks that overlap
void check_addresses(const Config& config, ConfigErrors& errors);

// "10.0.1.0/24", "default" (of `family`); reported otherwise.
std::optional<Prefix> read_destination(const Located<std::string>& text, Family family,
                                       ConfigErrors& errors);
std::optional<IpAddress> read_gateway(Section& section);

}  // namespace nsr::router
