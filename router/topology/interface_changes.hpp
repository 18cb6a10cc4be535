// InterfaceChanges: what a reload does to the interfaces of the core, as a value.
//
// What the file says differently than before is set; what was changed at run time (`nsrouter ip`)
// and is not mentioned anew stays.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/pipeline/router.hpp"
#include "core/routing/interface_table.hpp"
#include "router/config/config.hpp"

namespace nsr::router {

// An interface whose device is gone, and comes back with a reload.
struct LostLink {
    std::string name;
    bool was_up = true;
};

struct InterfaceChanges {
    struct Changed {
        IfIndex index = IfIndex::None;
        std::optional<std::uint32_t> mtu;
        std::optional<bool> up;
        std::optional<std::vector<Prefix>> addresses;
    };
    std::vector<routing::Interface> come;  // with the indices that they will get
    std::vector<IfIndex> go;
    std::vector<Changed> stay;
    bool too_many = false;  // there are no indices left
};

InterfaceChanges interface_changes(const Config& now, const Config& next,
                                   const routing::InterfaceTable& table);

// The names of interfaces as they will be, for rules.
std::vector<std::pair<std::string, IfIndex>> names_after(
    const InterfaceChanges& changes, std::vector<std::pair<std::string, IfIndex>> names);

// The interfaces as they will be, once the changes are made and the lost links are back.
routing::InterfaceTable table_after(const InterfaceChanges& changes,
                                    const std::vector<LostLink>& lost,
                                    routing::InterfaceTable table);

// What is wrong with the routes of `next` there.
ConfigErrors try_routes(const Config& next, const routing::InterfaceTable& table);

// All but removing those that go, and up and down, which devices follow. Rules bind the names with
// the next Router::adopt().
void apply(const InterfaceChanges& changes, Router& router, Instant now);

}  // namespace nsr::router
