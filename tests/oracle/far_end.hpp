// The other ends of the router's links, which take everything: super-packets, and checksums that
// are left to be finished.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/packet/packet.hpp"
#include "router/ports/coalescer.hpp"
#include "tests/oracle/case_run.hpp"

namespace oracle {

// What was written several packets at a time, on the wire.
struct Merged {
    std::vector<Departure> departures;  // each in the place of the one that it is
    std::size_t writes = 0;             // that held several packets
    std::size_t packets = 0;            // in those
    std::string error;                  // what cannot be brought to the places of what left
};

class FarEnd {
  public:
    // What left, on the wire: super-packets cut, checksums finished. The nth segment of one is what
    // its nth packet led to.
    static std::vector<Departure> cut(const std::vector<Left>& left);
    // The same, written as the event loop does. `batches` of the arrivals: what those of one batch
    // led to is merged before it is written.
    Merged merge(const std::vector<Left>& left, const std::vector<std::size_t>& batches);

  private:
    using Sent = std::vector<Departure>;

    static nsr::Packet packet_of(const Left& left);
    static void cut_one(const Left& left, nsr::Packet packet, Sent& wire);
    void write_batch(std::vector<Left>& held, Merged& merged);

    static nsr::BufferPool& pool();  // large, so there is one for all cases
    nsr::router::Coalescer coalescer_;
};

}  // namespace oracle
