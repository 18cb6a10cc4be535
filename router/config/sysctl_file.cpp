#include "router/config/sysctl_file.hpp"

#include <fnmatch.h>

#include <algorithm>

#include "core/base/words.hpp"

namespace nsr::router {
namespace {

std::string_view trim(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

void parse_line(std::string_view line, const SourceLocation& where, SysctlFile& file) {
    line = trim(line);
    if (line.empty() || line[0] == '#' || line[0] == ';') {
        return;
    }
    SysctlLine setting{.name = {}, .value = {}, .ignore_errors = line[0] == '-', .where = where};
    if (setting.ignore_errors) {
        line.remove_prefix(1);
    }
    const std::size_t equals = line.find('=');
    setting.name = dotted_sysctl_name(trim(line.substr(0, equals)));
    if (equals == std::string_view::npos || setting.name.empty()) {
        if (!setting.ignore_errors) {
            file.errors.push_back({where, "not a setting; write KEY = VALUE"});
        } else {
            file.excluded.push_back(std::move(setting.name));
        }
        return;
    }
    setting.value = trim(line.substr(equals + 1));
    file.lines.push_back(std::move(setting));
}

}  // namespace

SysctlFile parse_sysctl_file(std::string_view text, const std::string& file) {
    SysctlFile parsed;
    SourceLocation where{file, 0, 0};
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        ++where.line;
        where.column = static_cast<std::uint32_t>(line.find_first_not_of(" \t") + 1);
        parse_line(line, where, parsed);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return parsed;
}

bool is_pattern(const SysctlLine& line) {
    return line.name.find_first_of("*?[") != std::string::npos;
}

// As sysctl.conf(5) of procps 4, which asks glob(3) of /proc/sys
std::vector<std::string> names_meant(const SysctlLine& line, const SysctlFile& file,
                                     const std::vector<std::string>& names) {
    const std::string pattern = exchanged(line.name, '.', '/');
    const auto named = [&](const std::string& name) {
        return std::find(file.excluded.begin(), file.excluded.end(), name) != file.excluded.end() ||
               std::any_of(file.lines.begin(), file.lines.end(),
                           [&](const SysctlLine& each) { return each.name == name; });
    };
    std::vector<std::string> meant;
    for (const std::string& name : names) {
        const std::string path = exchanged(name, '.', '/');
        if (::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0 && !named(name)) {
            meant.push_back(name);
        }
    }
    return meant;
}

std::string dotted_sysctl_name(std::string_view name) {
    const std::size_t first = name.find_first_of("./");
    const bool slashes = first != std::string_view::npos && name[first] == '/';
    return slashes ? exchanged(name, '/', '.') : std::string(name);
}

}  // namespace nsr::router
