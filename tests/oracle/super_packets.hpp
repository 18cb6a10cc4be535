// Arrivals as a device with offloads hands them over: neighbours of a flow as one super-packet, and
// checksums that are left to be finished.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "core/packet/packet.hpp"
#include "router/config/config.hpp"
#include "tests/oracle/case_run.hpp"

namespace oracle {

// The batch of each frame: what one port has, with nothing to be done at a time between.
std::vector<std::size_t> batches_of(const Frames& frames,
                                    const nsr::router::ReplayConfig& schedule);

// Each packet with data as two to four that carry a part of it each, at the same time; numbered
// anew. Left whole are those whose checksums are not right, and what means something else in
// pieces, to Linux, too: text that a helper reads, and segments of a flow in which something is
// sent again (nf_conntrack_tcp_timeout_max_retrans).
Frames split_data(const Frames& frames);

// Of the packets that became one.
struct Joined {
    std::uint32_t first = 0;   // index of the first
    std::int64_t time_ns = 0;  // of the last, which is that of the whole
};

struct HandedOver {
    Frames frames;  // a super-packet has the index of its first packet
    std::map<std::uint32_t, nsr::Offload> offloads;  // by index
    std::map<std::uint32_t, Joined> joined;          // super-packets by the index of each packet
    std::size_t super_packets = 0;
    std::size_t partial_checksums = 0;  // of other packets
};

struct Terms {
    std::vector<std::size_t> batches;
    std::int64_t wait_ns = 0;  // each comes at most so long after the one before it
    std::function<bool(const nsr::test::KeptFrame&)> may_join;  // the one before it
};

// Joins neighbours of a batch. Only such become one that are the same again when it is cut, but for
// IPv4 ids where DF is set. Leaves every checksum that is right to be finished.
HandedOver hand_over(const Frames& frames, const Terms& terms);

}  // namespace oracle
