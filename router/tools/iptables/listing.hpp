// The loaded rules as a person reads them.
#pragma once

#include <string>

#include "core/rules/counters.hpp"

namespace nsr::router {

// Table by table and chain by chain, each rule with its number, packets and bytes, as
// `iptables -L -v -n --line-numbers` arranges them; the rules themselves in iptables-save form.
std::string rule_listing(const rules::Counted& counted, Family family);

}  // namespace nsr::router
