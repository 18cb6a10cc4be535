#include "router/topology/interface_changes.hpp"

#include <algorithm>

#include "router/config/build.hpp"

namespace nsr::router {
namespace {

using Changed = InterfaceChanges::Changed;
using Addresses = std::vector<Prefix>;

Addresses addresses_of(const InterfaceConfig& interface) {
    Addresses addresses;
    for (const Located<Prefix>& address : interface.addresses) {
        addresses.push_back(address.value);
    }
    return addresses;
}

bool has(const Addresses& addresses, const Prefix& address) {
    return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

// Those of the file in its order, then those that somebody has added since.
Addresses merged(const Addresses& before, Addresses after, const Addresses& current) {
    for (const Prefix& address : current) {
        if (!has(before, address) && !has(after, address)) {
            after.push_back(address);
        }
    }
    return after;
}

Changed change_of(const InterfaceConfig& before, const InterfaceConfig& after,
                  const routing::Interface& current) {
    Changed changed;
    changed.index = current.index;
    if (after.mtu != before.mtu) {
        changed.mtu = after.mtu;
    }
    if (after.up != before.up) {
        changed.up = after.up;
    }
    const Addresses was = addresses_of(before);
    const Addresses is = addresses_of(after);
    if (was != is) {
        changed.addresses = merged(was, is, routing::all_addresses(current));
    }
    return changed;
}

}  // namespace

InterfaceChanges interface_changes(const Config& now, const Config& next,
                                   const routing::InterfaceTable& table) {
    InterfaceChanges changes;
    routing::InterfaceTable numbers = table;
    for (const InterfaceConfig& interface : next.interfaces) {
        const InterfaceConfig* before = now.find_interface(interface.name);
        if (before != nullptr) {
            changes.stay.push_back(change_of(*before, interface, *table.find(interface.name)));
            continue;
        }
        changes.too_many = changes.too_many || numbers.next_index() == IfIndex::None;
        if (!changes.too_many) {
            const IfIndex index = numbers.add(interface_of(interface));
            changes.come.push_back(numbers.get(index));
        }
    }
    for (const InterfaceConfig& interface : now.interfaces) {
        if (next.find_interface(interface.name) == nullptr) {
            changes.go.push_back(table.find(interface.name)->index);
        }
    }
    return changes;
}

std::vector<std::pair<std::string, IfIndex>> names_after(
    const InterfaceChanges& changes, std::vector<std::pair<std::string, IfIndex>> names) {
    std::erase_if(names, [&](const auto& name) {
        return std::find(changes.go.begin(), changes.go.end(), name.second) != changes.go.end();
    });
    for (const routing::Interface& interface : changes.come) {
        names.emplace_back(interface.name, interface.index);
    }
    return names;
}

routing::InterfaceTable table_after(const InterfaceChanges& changes,
                                    const std::vector<LostLink>& lost,
                                    routing::InterfaceTable table) {
    for (const IfIndex index : changes.go) {
        table.remove(index);
    }
    for (const routing::Interface& interface : changes.come) {
        table.add(interface);
    }
    for (const Changed& changed : changes.stay) {
        routing::Interface& interface = table.get(changed.index);
        interface.addresses = changed.addresses.value_or(interface.addresses);
        for (const LostLink& link : lost) {
            interface.up = interface.up || (link.name == interface.name && link.was_up);
        }
        interface.up = changed.up.value_or(interface.up);
    }
    return table;
}

ConfigErrors try_routes(const Config& next, const routing::InterfaceTable& table) {
    routing::RouteTable routes(table);
    const auto assigned = routes.assign(routes_of(next, table));
    return assigned ? ConfigErrors{} : ConfigErrors{route_error(next, assigned.error())};
}

void apply(const InterfaceChanges& changes, Router& router, Instant now) {
    for (const routing::Interface& interface : changes.come) {
        router.add_interface(interface, Router::BindRules::Later);
    }
    for (const Changed& changed : changes.stay) {
        if (changed.mtu) {
            router.set_mtu(changed.index, *changed.mtu);
        }
        if (changed.addresses) {
            router.set_addresses(changed.index, *changed.addresses, now);
        }
    }
}

}  // namespace nsr::router
