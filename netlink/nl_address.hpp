// Our addresses as libnl's.
#pragma once

#include <memory>

#include "core/wire/address.hpp"

struct nl_addr;

namespace nsr::netlink {

struct PutNlAddress {
    void operator()(nl_addr* address) const;
};
using NlAddress = std::unique_ptr<nl_addr, PutNlAddress>;

NlAddress nl_address(const Prefix& prefix);

}  // namespace nsr::netlink
