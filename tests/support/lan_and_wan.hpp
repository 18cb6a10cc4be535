// The two networks between which most routers of tests stand.
#pragma once

#include <utility>

#include "core/pipeline/router.hpp"

namespace nsr::test {

// lan is 10.0.1.1/24, wan is 192.0.2.1/24: the first two interfaces.
inline void add_lan_and_wan(Router& router) {
    for (const auto& [name, address] :
         {std::pair("lan", "10.0.1.1/24"), std::pair("wan", "192.0.2.1/24")}) {
        routing::Interface interface;
        interface.name = name;
        interface.addresses.push_back(*parse_prefix(address));
        router.add_interface(std::move(interface));
    }
}

}  // namespace nsr::test
