#include "router/config/sections.hpp"

namespace nsr::router {

// tolerate = ["geoip"], or "all"
void read_tolerance(Section& section, Config& config) {
    const TomlMember* member = section.take("tolerate");
    if (member == nullptr) {
        return;
    }
    rules::Tolerance& tolerance = config.ruleset.tolerance;
    if (member->value.kind == TomlKind::String && member->value.text == "all") {
        tolerance.all = true;
        return;
    }
    std::vector<Located<std::string>> names;
    if (member->value.kind != TomlKind::Array) {
        section.wrong_type(*member, "an array of names of extensions, or \"all\"");
    } else if (section.strings("tolerate", names)) {
        for (const Located<std::string>& name : names) {
            tolerance.names.insert(name.value);
        }
    }
}

}  // namespace nsr::router
