// Queue: one datagram in the making. kernel: struct inet_frag_queue, struct ipq, struct frag_queue
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/base/instant.hpp"
#include "core/base/siphash.hpp"
#include "core/defrag/runs.hpp"
#include "core/packet/packet.hpp"

namespace nsr::defrag {

// kernel: struct frag_v4_compare_key, struct frag_v6_compare_key
struct Key {
    IpAddress source;
    IpAddress destination;
    std::uint32_t identification = 0;
    Zone zone = 0;
    IfIndex in = IfIndex::None;  // IPv6 to link-local and multicast addresses only
    std::uint8_t protocol = 0;   // IPv4 only
    bool output = false;         // reassembled in OUTPUT, not in PREROUTING

    friend bool operator==(const Key&, const Key&) = default;
};
Key key_of(const Packet& packet);

struct KeyHash {
    SipKey key;
    std::size_t operator()(const Key& of) const;
};

// How many fragments of one source have come, for ipfrag_max_dist; lives as long as a queue looks
// at it. kernel: struct inet_peer, rid
struct Peer {
    std::uint32_t arrived = 0;
    std::uint32_t queues = 0;
};

struct Queue;
using Deadlines = std::multimap<Instant, const Key*>;

struct Queue {
    Deadlines::iterator deadline;
    Runs runs;
    std::uint32_t length = 0;        // of the payload, as far as it is known
    bool last_seen = false;          // then `length` is final
    bool first_seen = false;         // then the members under "first" are valid
    std::uint8_t ecn = 0;            // bits 1 << ECN of all fragments
    std::uint32_t max_size = 0;      // the largest fragment, IP header included
    std::uint32_t max_df_size = 0;   // the largest with DF
    IfIndex in = IfIndex::None;      // where the latest came from
    Peer* peer = nullptr;            // IPv4 with ipfrag_max_dist; the source's
    std::uint32_t peer_arrived = 0;  // peer->arrived when this queue's latest came
    std::size_t accounted = 0;       // bytes charged to the family

    // first
    // Everything before the payload, IPv6 fragment header included.
    std::vector<std::uint8_t> header;
    Layout layout;
    Mark mark = 0;
    BufferPool* pool = nullptr;

    [[nodiscard]] bool complete() const {
        return first_seen && last_seen && runs.bytes() == length;
    }
    [[nodiscard]] std::size_t memory() const;
};

// Where a fragment belongs and what it says, in either family.
struct Fragment {
    std::uint32_t offset = 0;
    std::uint32_t end = 0;
    std::uint32_t size = 0;           // IP header included
    std::uint16_t header_length = 0;  // what precedes the payload
    bool more = false;
};
Fragment fragment_of(const Packet& packet);

// The bits that all fragments' ECN fields make: the mark to set on the datagram (0: none), or
// nothing if they cannot come from one datagram. RFC 3168 5.3. kernel: ip_frag_ecn_table
std::optional<std::uint8_t> merged_ecn(std::uint8_t seen);

// The datagram of a complete queue, into `packet`, undissected. Precondition: it fits.
void write_datagram(const Queue& queue, std::uint8_t ecn, Packet& packet);
// Length of that datagram with its header, and whether the header can say it.
struct DatagramSize {
    std::uint32_t bytes = 0;
    bool possible = false;
};
DatagramSize datagram_size(const Queue& queue);
// The first fragment as it came (cut to whole words). Precondition: first_seen.
Packet first_fragment(const Queue& queue);

}  // namespace nsr::defrag
