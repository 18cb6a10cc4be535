// OtherQueues: where the queues of a device go that are not the first shard's.
#pragma once

#include <memory>
#include <vector>

#include "core/base/ids.hpp"
#include "netlink/tun.hpp"
#include "router/ports/port.hpp"

namespace nsr::router {

class OtherQueues {
  public:
    virtual ~OtherQueues() = default;
    // Has the kernel put packets into the queue of the shard that they belong to, if it may be
    // told.
    virtual void steer(const netlink::Tun& device) = 0;
    // One for each of the other shards, in their order.
    virtual void attach(std::vector<std::unique_ptr<Port>> ports) = 0;
    virtual void detach(IfIndex interface) = 0;
    // The first shard's links or routes have changed.
    virtual void follow_network() = 0;
};

}  // namespace nsr::router
