// sysctl.conf(5): lines of `key = value`, comments with # or ;, a leading - to ignore errors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/config_error.hpp"

namespace nsr::router {

struct SysctlLine {
    std::string name;  // with dots, whichever separator the file uses
    std::string value;
    bool ignore_errors = false;
    SourceLocation where;
};

struct SysctlFile {
    std::vector<SysctlLine> lines;
    // Names that patterns (net.ipv4.conf.*.rp_filter) do not mean: lines of `-KEY`.
    std::vector<std::string> excluded;
    ConfigErrors errors;  // lines that are neither of these, comment nor empty
};

// What a line with a pattern is about: those of `names` that it fits, without those that the file
// names itself.
std::vector<std::string> names_meant(const SysctlLine& line, const SysctlFile& file,
                                     const std::vector<std::string>& names);
// It has a `*`, `?` or `[`, which stand for what they stand for in names of files.
bool is_pattern(const SysctlLine& line);

SysctlFile parse_sysctl_file(std::string_view text, const std::string& file);

// "net/ipv4/ip_forward" as "net.ipv4.ip_forward"; whichever separator comes first separates, the
// other one is part of a name and swapped, as sysctl(8) does.
std::string dotted_sysctl_name(std::string_view name);

}  // namespace nsr::router
