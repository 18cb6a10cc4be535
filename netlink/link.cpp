#include "netlink/link.hpp"

#include <net/if.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/route/link.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>

#include "netlink/error.hpp"
#include "netlink/setting.hpp"

namespace nsr::netlink {
namespace {

struct PutLink {
    void operator()(rtnl_link* link) const { rtnl_link_put(link); }
};
using LinkPtr = std::unique_ptr<rtnl_link, PutLink>;

LinkPtr get_link(const Socket& socket, const std::string& name) {
    rtnl_link* link = nullptr;
    check_netlink("look up device " + name,
                  rtnl_link_get_kernel(socket.get(), 0, name.c_str(), &link));
    return LinkPtr(link);
}

// Null: there is none of that name.
LinkPtr look_up(const Socket& socket, const std::string& name) {
    rtnl_link* found = nullptr;
    const int result = rtnl_link_get_kernel(socket.get(), 0, name.c_str(), &found);
    if (result == -NLE_NODEV || result == -NLE_OBJ_NOTFOUND) {
        return nullptr;
    }
    check_netlink("look up device " + name, result);
    return LinkPtr(found);
}

LinkPtr new_link(const std::string& name) {
    LinkPtr link(rtnl_link_alloc());
    if (!link) {
        throw SystemError("change device " + name, ENOMEM);
    }
    return link;
}

}  // namespace

std::vector<std::string> link_names(const Socket& socket) {
    nl_cache* cache = nullptr;
    check_netlink("list the devices", rtnl_link_alloc_cache(socket.get(), AF_UNSPEC, &cache));
    const std::unique_ptr<nl_cache, void (*)(nl_cache*)> links(cache, nl_cache_free);
    std::vector<std::string> names;
    for (nl_object* object = nl_cache_get_first(cache); object != nullptr;
         object = nl_cache_get_next(object)) {
        const char* name = rtnl_link_get_name(reinterpret_cast<rtnl_link*>(object));
        names.emplace_back(name == nullptr ? "" : name);
    }
    return names;
}

std::optional<Link> find_link(const Socket& socket, const std::string& name) {
    const LinkPtr link = look_up(socket, name);
    if (!link) {
        return std::nullopt;
    }
    Link found;
    found.index = rtnl_link_get_ifindex(link.get());
    found.mtu = rtnl_link_get_mtu(link.get());
    found.up = (rtnl_link_get_flags(link.get()) & IFF_UP) != 0;
    if (const char* kind = rtnl_link_get_type(link.get())) {
        found.kind = kind;
    }
    return found;
}

void set_link_up(const Socket& socket, const std::string& name, bool up) {
    const LinkPtr current = get_link(socket, name);
    const LinkPtr change = new_link(name);
    if (up) {
        rtnl_link_set_flags(change.get(), IFF_UP);
    } else {
        rtnl_link_unset_flags(change.get(), IFF_UP);
    }
    check_netlink((up ? "bring up device " : "take down device ") + name,
                  rtnl_link_change(socket.get(), current.get(), change.get(), 0));
}

void set_link_queue(const Socket& socket, const std::string& name, std::uint32_t packets) {
    const LinkPtr current = get_link(socket, name);
    const LinkPtr change = new_link(name);
    rtnl_link_set_txqlen(change.get(), packets);
    check_netlink("set the queue of device " + name,
                  rtnl_link_change(socket.get(), current.get(), change.get(), 0));
}

std::optional<std::uint64_t> link_tx_dropped(const Socket& socket, const std::string& name) {
    const LinkPtr link = look_up(socket, name);
    return link ? std::optional(rtnl_link_get_stat(link.get(), RTNL_LINK_TX_DROPPED))
                : std::nullopt;
}

void set_link_mtu(const Socket& socket, const std::string& name, std::uint32_t mtu) {
    const LinkPtr current = get_link(socket, name);
    const LinkPtr change = new_link(name);
    rtnl_link_set_mtu(change.get(), mtu);
    check_netlink("set the MTU of device " + name + " to " + std::to_string(mtu),
                  rtnl_link_change(socket.get(), current.get(), change.get(), 0));
}

void quiet_ipv6(const std::string& device) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kSettings = {
        {{"addr_gen_mode", "1"},  // kernel: IN6_ADDR_GEN_MODE_NONE
         {"accept_dad", "0"},
         {"accept_ra", "0"},
         {"router_solicitations", "0"}}};
    for (const auto& [name, value] : kSettings) {
        write_setting("net/ipv6/conf/" + device + "/" + std::string(name), value);
    }
}

}  // namespace nsr::netlink
