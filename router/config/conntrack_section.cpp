#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "router/config/sections.hpp"

namespace nsr::router {
namespace {

// Those that Linux has besides.
constexpr std::array<std::string_view, 5> kNotSupported = {"snmp", "RAS", "netbios-ns", "Q.931",
                                                           "H.245"};

// Of each name that there is, once: sip is one for TCP and one for UDP.
std::vector<std::string> helper_names() {
    std::vector<std::string> names;
    for (const conntrack::HelperInfo& row : conntrack::helpers()) {
        if (names.empty() || names.back() != row.name) {
            names.emplace_back(row.name);
        }
    }
    return names;
}

std::string helper_problem(const std::string& name) {
    const bool is_known = conntrack::is_helper_name(name);
    if (std::find(kNotSupported.begin(), kNotSupported.end(), name) != kNotSupported.end()) {
        return "helper \"" + name + "\" is not supported";
    }
    return is_known ? "" : "unknown helper \"" + name + "\"" + suggestion(name, helper_names());
}

// helpers = ["ftp"]
void read_helpers(Section& section, ConntrackConfig& conntrack) {
    std::vector<Located<std::string>> named;
    section.strings("helpers", named);
    std::set<std::string> seen;
    for (const Located<std::string>& helper : named) {
        std::string problem = helper_problem(helper.value);
        if (problem.empty() && !seen.insert(helper.value).second) {
            problem = "helper \"" + helper.value + "\" is given twice";
        }
        if (!problem.empty()) {
            section.fail(helper.where, problem);
        }
        for (const conntrack::HelperInfo& row : conntrack::helpers()) {
            conntrack.helpers |= row.name == helper.value ? conntrack::helper_bit(row.id) : 0;
        }
    }
}

}  // namespace

void read_conntrack(Section section, Config& config) {
    ConntrackConfig& conntrack = config.conntrack;
    conntrack.where = section.where();
    const std::vector<std::string> modes(kTrackingModeNames.begin(), kTrackingModeNames.end());
    if (const auto mode = section.one_of("mode", modes)) {
        conntrack.mode = TrackingMode{static_cast<std::uint8_t>(*mode)};
        conntrack.where = section.take("mode")->value.where;
    }
    read_helpers(section, conntrack);
    section.boolean("activate_on_view", conntrack.activate_on_view);
    section.finish();
}

}  // namespace nsr::router
