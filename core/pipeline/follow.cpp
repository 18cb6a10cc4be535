#include "core/pipeline/follow.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/check.hpp"

namespace nsr::pipeline {

namespace {

void remove_others(Router& router, const std::vector<routing::Interface>& wanted, Instant now) {
    const std::vector<routing::Interface> before = router.interfaces().all();
    for (const routing::Interface& interface : before) {
        const bool stays = std::any_of(
            wanted.begin(), wanted.end(),
            [&](const routing::Interface& other) { return other.index == interface.index; });
        if (!stays) {
            router.remove_interface(interface.index, now);
        }
    }
}

// Those that are new come in the order in which they came to the other router, with its indices.
void follow(Router& router, const routing::Interface& wanted, Instant now) {
    if (!router.interfaces().has(wanted.index)) {
        while (router.interfaces().next_index() != wanted.index) {  // one that came and went
            router.remove_interface(router.add_interface({}), now);
        }
        routing::Interface interface = wanted;
        interface.counters = {};
        router.add_interface(std::move(interface));
    }
    router.set_capabilities(wanted.index, wanted.capabilities);
    router.set_mtu(wanted.index, wanted.mtu);
    router.set_addresses(wanted.index, routing::all_addresses(wanted), now);
    router.set_up(wanted.index, wanted.up, now);
}

}  // namespace

// The routes were possible in the other router, of the same links.
void follow(Router& router, const Network& network, Instant now) {
    remove_others(router, network.interfaces, now);
    for (const routing::Interface& interface : network.interfaces) {
        follow(router, interface, now);
    }
    router.set_policy_rules(network.rules);
    static_cast<void>(router.set_routes(network.routes));
}

}  // namespace nsr::pipeline
