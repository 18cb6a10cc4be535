#include "core/routing/interface_table.hpp"

#include <algorithm>
#include <utility>

#include "core/base/check.hpp"
#include "core/routing/source_address.hpp"

namespace nsr::routing {

IfIndex InterfaceTable::add(Interface interface) {
    interface.index = static_cast<IfIndex>(interfaces_.size() + 1);
    if (interface.host && host_ == IfIndex::None) {
        host_ = interface.index;
    }
    interfaces_.push_back(std::move(interface));
    return interfaces_.back().index;
}

const Interface* InterfaceTable::find(std::string_view name) const {
    const auto at = std::find_if(interfaces_.begin(), interfaces_.end(),
                                 [&](const Interface& each) { return each.name == name; });
    return at == interfaces_.end() ? nullptr : &*at;
}

Interface& InterfaceTable::get(IfIndex index) {
    return const_cast<Interface&>(std::as_const(*this).get(index));
}

const Interface& InterfaceTable::get(IfIndex index) const {
    NSR_CHECK(index != IfIndex::None && raw(index) <= interfaces_.size());
    return interfaces_[raw(index) - 1U];
}

bool InterfaceTable::is_own(const IpAddress& address) const {
    return address.is_loopback() || owner_of(address) != IfIndex::None;
}

IfIndex InterfaceTable::owner_of(const IpAddress& address) const {
    for (const Interface& interface : interfaces_) {
        for (const Prefix& own : interface.addresses) {
            if (own.address == address) {
                return interface.index;
            }
        }
    }
    return IfIndex::None;
}

std::optional<IpAddress> InterfaceTable::source_for(IfIndex out,
                                                    const IpAddress& destination) const {
    return destination.is_v4() ? select_ipv4_source(interfaces_, out, destination)
                               : select_ipv6_source(interfaces_, out, destination);
}

}  // namespace nsr::routing
