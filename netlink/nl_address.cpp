#include "netlink/nl_address.hpp"

#include <netlink/addr.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "netlink/error.hpp"

namespace nsr::netlink {

NlAddress nl_address(const Prefix& prefix) {
    std::array<std::uint8_t, 16> bytes{};
    prefix.address.to_wire(bytes.data());
    NlAddress address(nl_addr_build(static_cast<int>(prefix.address.family), bytes.data(),
                                    prefix.address.size_bytes()));
    if (!address) {
        throw SystemError("describe address " + to_string(prefix), ENOMEM);
    }
    nl_addr_set_prefixlen(address.get(), prefix.length);
    return address;
}

void PutNlAddress::operator()(nl_addr* address) const {
    nl_addr_put(address);
}

}  // namespace nsr::netlink
