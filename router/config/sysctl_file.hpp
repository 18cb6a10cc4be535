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
    ConfigErrors errors;  // lines that are neither setting, comment nor empty
};

SysctlFile parse_sysctl_file(std::string_view text, const std::string& file);

// "net/ipv4/ip_forward" as "net.ipv4.ip_forward"; whichever separator comes first separates, the
// other one is part of a name and swapped, as sysctl(8) does.
std::string dotted_sysctl_name(std::string_view name);

}  // namespace nsr::router
