// Where a packet ended, in words: for the file of drops and for records.
#pragma once

#include <string>

#include "core/pipeline/router.hpp"

namespace nsr::observe {

struct PlaceText {
    std::string in;     // name of the interface; "-": it began here
    std::string stage;  // "FORWARD filter"; "-": between two hooks
    std::string chain;  // of the rule or the policy that refused it; empty: no rule's doing
    std::string where;  // of the rule: "rules.v4:12"; empty: none
    std::string rule;   // its text
    bool gone = false;  // the rule is at work no more
};

PlaceText describe(const pipeline::DropPlace& place, const Router& router);
// "rules.v4:12: -A FORWARD -j DROP", "the policy of FORWARD in filter"; empty: no rule's doing.
std::string by_whom(const PlaceText& text, const pipeline::DropPlace& place);

// "lan"; empty: none, or it is gone.
std::string interface_name(IfIndex index, const routing::InterfaceTable& interfaces);

}  // namespace nsr::observe
