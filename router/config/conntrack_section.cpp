#include "router/config/sections.hpp"

namespace nsr::router {
namespace {

// helpers = ["ftp"]
void read_helpers(Section& section, ConntrackConfig& conntrack) {
    std::vector<Located<std::string>> named;
    section.strings("helpers", named);
    for (const Located<std::string>& helper : named) {
        std::vector<std::string> known;
        bool found = false;
        for (const conntrack::HelperInfo& row : conntrack::helpers()) {
            known.emplace_back(row.name);
            if (row.name == helper.value) {
                conntrack.helpers |= conntrack::helper_bit(row.id);
                found = true;
            }
        }
        if (!found) {
            section.fail(helper.where, "unknown helper \"" + helper.value + "\"" +
                                           suggestion(helper.value, known));
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
