#include "core/routing/interface_table.hpp"

#include <algorithm>
#include <utility>

#include "core/base/check.hpp"
#include "core/routing/source_address.hpp"

namespace nsr::routing {

IfIndex InterfaceTable::add(Interface interface) {
    interface.index = next_index();
    NSR_CHECK(interface.index != IfIndex::None);
    if (interface.host && host_ == IfIndex::None) {
        host_ = interface.index;
    }
    places_.push_back(static_cast<std::uint16_t>(interfaces_.size()));
    interfaces_.push_back(std::move(interface));
    return interfaces_.back().index;
}

void InterfaceTable::remove(IfIndex index) {
    NSR_CHECK(has(index));
    const std::uint16_t place = std::exchange(places_[raw(index) - 1U], kGone);
    interfaces_.erase(interfaces_.begin() + place);
    for (std::size_t i = place; i < interfaces_.size(); ++i) {
        places_[raw(interfaces_[i].index) - 1U] = static_cast<std::uint16_t>(i);
    }
    if (index == host_) {
        host_ = IfIndex::None;
    }
}

IfIndex InterfaceTable::next_index() const {
    return places_.size() < kMostIndices ? static_cast<IfIndex>(places_.size() + 1) : IfIndex::None;
}

std::vector<std::string> InterfaceTable::names_by_index() const {
    std::vector<std::string> names(places_.size());
    for (const Interface& interface : interfaces_) {
        names[raw(interface.index) - 1U] = interface.name;
    }
    return names;
}

const Interface* InterfaceTable::find(std::string_view name) const {
    const auto at = std::find_if(interfaces_.begin(), interfaces_.end(),
                                 [&](const Interface& each) { return each.name == name; });
    return at == interfaces_.end() ? nullptr : &*at;
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
