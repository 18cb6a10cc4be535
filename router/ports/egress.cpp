#include "router/ports/egress.hpp"

#include <utility>

namespace nsr::router {

Egress::Egress(Router& router, PortOf port_of)
    : router_(router), port_of_(std::move(port_of)), takes_([this](IfIndex interface) {
          const Port* port = port_of_(interface);
          return port == nullptr ? routing::LinkCapabilities{} : port->capabilities();
      }) {
}

void Egress::flush(EgressQueue& out) {
    const bool merges = coalesces_ && out.size() > 1;
    if (merges) {
        coalescer_.merge(out, takes_);
    }
    for (std::size_t index = 0; index < out.size(); ++index) {
        const std::size_t packets = merges ? coalescer_.packets_in(index) : 1;
        if (packets == 0) {
            continue;
        }
        const IfIndex interface = out[index].meta.out;
        Port* port = port_of_(interface);
        const Verdict verdict = port == nullptr ? Verdict::drop(DropReason::InterfaceDown)
                                                : port->write(out[index], packets);
        for (std::size_t lost = 0; verdict.dropped() && lost < packets; ++lost) {
            router_.egress_failed(interface, verdict.reason());
        }
    }
    out.clear();
}

}  // namespace nsr::router
