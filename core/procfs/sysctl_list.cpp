// All sysctls that there are now, in the order of `sysctl -a`.
#include <algorithm>
#include <utility>

#include "core/base/words.hpp"
#include "core/procfs/sysctl.hpp"

namespace nsr::procfs {

namespace {

struct Listed {
    std::string path;  // below /proc/sys
    Sysctl sysctl;
};

// All that there are now, directory by directory: the separator sorts before every letter.
std::vector<Listed> listed(const Context& context) {
    const bool tracking = context.router.tracking_active();
    const auto& interfaces = context.router.interfaces().all();
    std::vector<Listed> all;
    const auto list = [&](const SysctlRow& row, std::string_view directory, Sysctl sysctl) {
        std::string path(row.name);
        all.push_back({"net/" + path.replace(path.find('*'), 1, directory), sysctl});
    };
    for (const SysctlRow& row : sysctl_rows()) {
        if (row.needs_tracking() && !tracking) {
            continue;
        }
        if (!row.per_interface()) {
            all.push_back({"net/" + std::string(row.name), {&row}});
            continue;
        }
        list(row, "all", {&row, Sysctl::Scope::All});
        list(row, "default", {&row, Sysctl::Scope::Default});
        for (const routing::Interface& interface : interfaces) {
            list(row, interface.name, {&row, Sysctl::Scope::Interface, interface.index});
        }
    }
    const auto in_listing_order = [](char a, char b) {
        return (a == '/' ? '\0' : a) < (b == '/' ? '\0' : b);
    };
    std::sort(all.begin(), all.end(), [&](const Listed& a, const Listed& b) {
        return std::lexicographical_compare(a.path.begin(), a.path.end(), b.path.begin(),
                                            b.path.end(), in_listing_order);
    });
    return all;
}

}  // namespace

std::vector<std::string> sysctl_names(const Context& context) {
    std::vector<std::string> names;
    for (const Listed& each : listed(context)) {
        names.push_back(exchanged(each.path, '/', '.'));
    }
    return names;
}

std::vector<NamedSysctl> read_all_sysctls(const Context& context) {
    pipeline::Settings settings = context.router.settings();
    std::vector<NamedSysctl> all;
    for (const Listed& each : listed(context)) {
        all.push_back(
            {exchanged(each.path, '/', '.'), read_sysctl(each.sysctl, context, settings)});
    }
    return all;
}

std::vector<std::string> sysctl_paths(const Context& context) {
    std::vector<std::string> paths;
    for (Listed& each : listed(context)) {
        paths.push_back(std::move(each.path));
    }
    return paths;
}

}  // namespace nsr::procfs
