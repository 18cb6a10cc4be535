#include "netlink/address.hpp"

#include <linux/if_addr.h>
#include <netlink/addr.h>
#include <netlink/cache.h>
#include <netlink/errno.h>
#include <netlink/route/addr.h>

#include <cerrno>
#include <memory>

#include "netlink/error.hpp"
#include "netlink/link.hpp"
#include "netlink/nl_address.hpp"

namespace nsr::netlink {
namespace {

struct PutAddress {
    void operator()(rtnl_addr* address) const { rtnl_addr_put(address); }
};
using AddressPtr = std::unique_ptr<rtnl_addr, PutAddress>;

AddressPtr describe(const Socket& socket, const std::string& device, const Prefix& prefix,
                    std::uint32_t flags) {
    const auto link = find_link(socket, device);
    if (!link) {
        throw SystemError("look up device " + device, ENODEV);
    }
    AddressPtr address(rtnl_addr_alloc());
    if (!address) {
        throw SystemError("describe address " + to_string(prefix), ENOMEM);
    }
    const NlAddress local = nl_address(prefix);
    rtnl_addr_set_ifindex(address.get(), link->index);
    check_netlink("describe address " + to_string(prefix),
                  rtnl_addr_set_local(address.get(), local.get()));
    flags |= prefix.address.is_v6() ? IFA_F_NODAD : 0;
    rtnl_addr_set_flags(address.get(), flags);
    return address;
}

}  // namespace

bool add_address(const Socket& socket, const std::string& device, const Prefix& address,
                 std::uint32_t flags) {
    const AddressPtr description = describe(socket, device, address, flags);
    const int result = rtnl_addr_add(socket.get(), description.get(), 0);
    if (result == -NLE_EXIST) {
        return false;
    }
    check_netlink("add address " + to_string(address) + " to device " + device, result);
    return true;
}

bool has_address(const Socket& socket, const std::string& device, const Prefix& address) {
    const auto link = find_link(socket, device);
    nl_cache* cache = nullptr;
    check_netlink("list the addresses", rtnl_addr_alloc_cache(socket.get(), &cache));
    const std::unique_ptr<nl_cache, void (*)(nl_cache*)> addresses(cache, nl_cache_free);
    const NlAddress local = nl_address(address);
    if (!link) {
        return false;
    }
    const AddressPtr found(rtnl_addr_get(cache, link->index, local.get()));
    return found != nullptr && rtnl_addr_get_prefixlen(found.get()) == address.length;
}

void remove_address(const Socket& socket, const std::string& device, const Prefix& address) {
    const AddressPtr description = describe(socket, device, address, 0);
    const int result = rtnl_addr_delete(socket.get(), description.get(), 0);
    if (result != -NLE_NOADDR && result != -NLE_OBJ_NOTFOUND) {
        check_netlink("remove address " + to_string(address) + " from device " + device, result);
    }
}

}  // namespace nsr::netlink
