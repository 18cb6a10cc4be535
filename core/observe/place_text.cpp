#include "core/observe/place_text.hpp"

namespace nsr::observe {

std::string interface_name(IfIndex index, const routing::InterfaceTable& interfaces) {
    if (index == IfIndex::Loopback) {
        return "lo";
    }
    return interfaces.has(index) ? interfaces.get(index).name : std::string();
}

PlaceText describe(const pipeline::DropPlace& place, const routing::InterfaceTable& interfaces,
                   const pipeline::RuleNames::Names& names) {
    PlaceText text;
    text.in = interface_name(place.in, interfaces);
    if (text.in.empty()) {
        text.in = place.in == IfIndex::None ? "-" : "gone";
    }
    text.stage = "-";
    if (place.in_hook) {
        text.stage =
            std::string(name_of(place.hook)) + " " + std::string(pipeline::name_of(place.stage));
    }
    if (const auto rule = names.find(place.rule); rule != names.end()) {
        text.chain = rule->second.chain;
        text.where = to_string(rule->second.where);
        text.rule = rule->second.text;
        text.gone = rule->second.gone;
    } else if (place.reason == DropReason::PolicyDrop) {
        text.chain = name_of(place.hook);
    }
    return text;
}

std::string by_whom(const PlaceText& text, const pipeline::DropPlace& place) {
    if (!text.where.empty()) {
        return text.where + ": " + text.rule + (text.gone ? " (gone)" : "");
    }
    if (place.reason == DropReason::PolicyDrop) {
        return "the policy of " + text.chain + " in " + std::string(pipeline::name_of(place.stage));
    }
    return {};
}

}  // namespace nsr::observe
