// Egress: what leaves, to the ports. Each packet is written once; one that a port does not take is
// lost, and counted by the router with the reason. Packets that leave together are merged first
// where their link takes that (coalescer.hpp). With a ring (frame_ring.hpp) those that are left are
// written with one system call, in their order, if there are enough of them.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "core/pipeline/router.hpp"
#include "router/ports/coalescer.hpp"
#include "router/ports/optional_ring.hpp"
#include "router/ports/port.hpp"

namespace nsr::router {

class Egress {
  public:
    // The port that what leaves through an interface goes to; null: there is none.
    using PortOf = std::function<Port*(IfIndex)>;

    Egress(Router& router, PortOf port_of, const OptionalRing& ring);
    void set_coalescing(bool on) { coalesces_ = on; }
    void flush(EgressQueue& out);  // empty afterwards

  private:
    // One that is to go to the ring.
    struct Write {
        Packet* packet = nullptr;
        Port* port = nullptr;
        std::size_t packets = 0;  // that it stands for
    };

    void write(Packet& packet, std::size_t packets, bool at_once);
    void write_at_once(std::span<const Write> writes, FrameRing& ring);
    void count(IfIndex interface, Verdict verdict, std::size_t packets);

    Router& router_;
    PortOf port_of_;
    Coalescer coalescer_;
    Coalescer::Capabilities takes_;
    bool coalesces_ = true;
    const OptionalRing& ring_;
    std::vector<Write> writes_;
};

}  // namespace nsr::router
