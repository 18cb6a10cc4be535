// The files that are not sysctls: one row each. Adding a file is adding a row in files.cpp.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "core/procfs/file.hpp"

namespace nsr::procfs {

std::span<const File> files();

// connection_files.cpp
std::unique_ptr<Cursor> open_nf_conntrack(const Context& context);
std::unique_ptr<Cursor> open_ip_conntrack(const Context& context);
std::unique_ptr<Cursor> open_nf_conntrack_expect(const Context& context);
std::string read_stat_nf_conntrack(const Context& context, Instant now);

// drop_files.cpp
std::unique_ptr<Cursor> open_drops(const Context& context);
std::string read_drop_reasons(const Context& context, Instant now);

// nat_mappings.cpp, nat_ports.cpp
std::unique_ptr<Cursor> open_all_nat_mappings(const Context& context);
std::unique_ptr<Cursor> open_nat_ports(const Context& context);

// network_files.cpp
std::string read_dev(const Context& context, Instant now);
std::string read_route(const Context& context, Instant now);
std::string read_ip_tables_names(const Context& context, Instant now);
std::string read_ip6_tables_names(const Context& context, Instant now);

// snmp_files.cpp
std::string read_snmp(const Context& context, Instant now);
std::string read_snmp6(const Context& context, Instant now);
std::string read_netstat(const Context& context, Instant now);

}  // namespace nsr::procfs
