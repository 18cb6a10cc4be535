#include "core/observe/place_text.hpp"

namespace nsr::observe {

std::string interface_name(IfIndex index, const routing::InterfaceTable& interfaces) {
    if (index == IfIndex::Loopback) {
        return "lo";
    }
    return interfaces.has(index) ? interfaces.get(index).name : std::string();
}

PlaceText describe(const pipeline::DropPlace& place, const Router& router) {
    PlaceText text;
    text.in = interface_name(place.in, router.interfaces());
    if (text.in.empty()) {
        text.in = place.in == IfIndex::None ? "-" : "gone";
    }
    text.stage = "-";
    if (place.in_hook) {
        text.stage =
            std::string(name_of(place.hook)) + " " + std::string(pipeline::name_of(place.stage));
    }
    const auto rule = place.rule == RuleId::None ? std::nullopt : router.name_of_rule(place.rule);
    if (rule) {
        text.chain = rule->chain;
        text.where = to_string(rule->where);
        text.rule = rule->text;
        text.gone = rule->gone;
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
