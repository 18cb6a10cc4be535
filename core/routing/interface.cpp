#include "core/routing/interface.hpp"

#include <algorithm>
#include <utility>

namespace nsr::routing {

void disable_ipv6(Interface& interface, bool disabled) {
    const std::vector<Prefix> all = all_addresses(interface);
    interface.ipv6_disabled = disabled;
    assign_addresses(interface, all);
}

std::vector<Prefix> all_addresses(const Interface& interface) {
    std::vector<Prefix> all = interface.addresses;
    all.insert(all.end(), interface.resting.begin(), interface.resting.end());
    return all;
}

void assign_addresses(Interface& interface, const std::vector<Prefix>& addresses) {
    interface.addresses.clear();
    interface.resting.clear();
    for (const Prefix& each : addresses) {
        const bool rests = interface.ipv6_disabled && each.address.is_v6();
        (rests ? interface.resting : interface.addresses).push_back(each);
    }
}

std::vector<Prefix> remove_address(Interface& interface, const Prefix& address) {
    auto& addresses = interface.addresses;
    const auto at = std::find(addresses.begin(), addresses.end(), address);
    if (at == addresses.end()) {
        return {};
    }
    const auto same_network = [&](const Prefix& each) {
        return each.length == address.length && each.network() == address.network();
    };
    const bool primary =
        address.address.is_v4() && std::none_of(addresses.begin(), at, same_network);
    std::vector<Prefix> removed;
    std::vector<Prefix> kept;
    for (const Prefix& each : addresses) {
        const bool goes = each == address || (primary && same_network(each));
        (goes ? removed : kept).push_back(each);
    }
    addresses = std::move(kept);
    return removed;
}

}  // namespace nsr::routing
