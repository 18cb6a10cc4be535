// Egress: what leaves, to the ports. Each packet is written once; one that a port does not take is
// lost, and counted by the router with the reason. Packets that leave together are merged first
// where their link takes that (coalescer.hpp).
#pragma once

#include <functional>

#include "core/pipeline/router.hpp"
#include "router/ports/coalescer.hpp"
#include "router/ports/port.hpp"

namespace nsr::router {

class Egress {
  public:
    // The port that what leaves through an interface goes to; null: there is none.
    using PortOf = std::function<Port*(IfIndex)>;

    Egress(Router& router, PortOf port_of);
    void set_coalescing(bool on) { coalesces_ = on; }
    void flush(EgressQueue& out);  // empty afterwards

  private:
    Router& router_;
    PortOf port_of_;
    Coalescer coalescer_;
    Coalescer::Capabilities takes_;
    bool coalesces_ = true;
};

}  // namespace nsr::router
