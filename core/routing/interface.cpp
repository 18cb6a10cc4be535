#include "core/routing/interface.hpp"

#include <algorithm>
#include <utility>

namespace nsr::routing {

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
