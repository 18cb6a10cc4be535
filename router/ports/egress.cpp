#include "router/ports/egress.hpp"

#include <algorithm>
#include <utility>

namespace nsr::router {

Egress::Egress(Router& router, PortOf port_of, const OptionalRing& ring)
    : router_(router),
      port_of_(std::move(port_of)),
      takes_([this](IfIndex interface) {
          const Port* port = port_of_(interface);
          return port == nullptr ? routing::LinkCapabilities{} : port->capabilities();
      }),
      ring_(ring) {
}

void Egress::flush(EgressQueue& out) {
    const bool merges = coalesces_ && out.size() > 1;
    if (merges) {
        coalescer_.merge(out, takes_);
    }
    const auto packets_in = [&](std::size_t index) {
        return merges ? coalescer_.packets_in(index) : 1;
    };
    std::size_t frames = 0;
    for (std::size_t index = 0; index < out.size(); ++index) {
        frames += packets_in(index) != 0 ? 1 : 0;
    }
    FrameRing* const ring = frames >= FrameRing::kWorthwhile ? ring_.get() : nullptr;
    writes_.clear();
    for (std::size_t index = 0; index < out.size(); ++index) {
        if (const std::size_t packets = packets_in(index); packets != 0) {
            write(out[index], packets, ring != nullptr);
        }
    }
    for (std::span<const Write> left = writes_; !left.empty();) {
        const std::size_t now = std::min(left.size(), FrameRing::kMost);
        write_at_once(left.first(now), *ring);
        left = left.subspan(now);
    }
    out.clear();
}

void Egress::write(Packet& packet, std::size_t packets, bool at_once) {
    Port* port = port_of_(packet.meta.out);
    if (port == nullptr) {
        count(packet.meta.out, Verdict::drop(DropReason::InterfaceDown), packets);
    } else if (at_once && port->is_device()) {
        writes_.push_back({&packet, port, packets});
    } else {
        count(packet.meta.out, port->write(packet, packets), packets);
    }
}

void Egress::write_at_once(std::span<const Write> writes, FrameRing& ring) {
    for (const Write& write : writes) {
        ring.write(write.port->descriptor(), write.port->begin_write(*write.packet));
    }
    const std::span<const int> results = ring.run();
    for (std::size_t i = 0; i < writes.size(); ++i) {
        const auto& [packet, port, packets] = writes[i];
        count(packet->meta.out, port->end_write(*packet, results[i], packets), packets);
    }
}

void Egress::count(IfIndex interface, Verdict verdict, std::size_t packets) {
    for (std::size_t lost = 0; verdict.dropped() && lost < packets; ++lost) {
        router_.egress_failed(interface, verdict.reason());
    }
}

}  // namespace nsr::router
