// Packets that leave together: which of them become one, and that cutting gives them all again.
#include "router/ports/coalescer.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <string>

#include "core/packet/dissect.hpp"
#include "core/packet/rewrite.hpp"
#include "core/packet/segment.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "tests/support/packet_builder.hpp"

using namespace nsr;
using namespace nsr::router;
using test::PacketBuilder;

namespace {

constexpr IfIndex kOut{2};
constexpr routing::LinkCapabilities kTakesAll{.checksum = true, .gso_tcp = true, .gso_udp = true};
using WireBytes = std::vector<std::uint8_t>;

PacketBuilder datagram(std::uint16_t id, std::size_t payload = 100) {
    return test::udp("192.0.2.1:4000", "192.0.2.2:5000").id(id).payload(payload);
}
PacketBuilder other_datagram(std::uint16_t id, std::size_t payload = 100) {
    return test::udp("192.0.2.1:4001", "192.0.2.2:5000").id(id).payload(payload);
}
PacketBuilder segment_at(std::uint32_t seq, std::uint16_t id) {
    return test::tcp("192.0.2.1:4000", "192.0.2.2:80").seq(seq).ack(7).id(id).payload(100);
}

// As a local socket hands it to a device: the checksum is the device's to finish.
void leave_checksum_to_device(Packet& packet) {
    const Layout& layout = packet.layout;
    const bool tcp = layout.protocol == 6;
    packet.offload.checksum = ChecksumState::Partial;
    packet.offload.checksum_start = layout.l4_offset;
    packet.offload.checksum_offset = tcp ? 16 : 6;
    wire::store16(packet.l4().data() + packet.offload.checksum_offset,
                  wire::pseudo_header_sum(layout.source, layout.destination, layout.protocol,
                                          layout.l4_length()));
}

// What leaves in one batch, and what is written instead.
struct LeavingBatch {
    Packet& leaves(const PacketBuilder& packet) {
        queue.push_back(packet.packet(pool));
        Packet& added = queue.back();
        CHECK(dissect(added).accepted());
        added.meta.out = kOut;
        originals.push_back(packet.bytes());
        return added;
    }

    void merge() {
        coalescer.merge(queue, [this](IfIndex) { return takes; });
        for (std::size_t i = 0; i < queue.size(); ++i) {
            CHECK(queue[i].empty() == (coalescer.packets_in(i) == 0));
        }
    }

    // How many packets each write holds.
    std::vector<std::size_t> writes() {
        merge();
        std::vector<std::size_t> counts;
        for (std::size_t i = 0; i < queue.size(); ++i) {
            if (coalescer.packets_in(i) != 0) {
                counts.push_back(coalescer.packets_in(i));
            }
        }
        return counts;
    }

    // What the other end makes of what is written.
    std::vector<WireBytes> cut() {
        std::vector<WireBytes> wire_packets;
        for (Packet& packet : queue) {
            if (packet.empty()) {
                continue;
            }
            EgressQueue pieces;
            if (packet.offload.gso != Gso::None) {
                segment(packet.clone(), pieces);
            } else {
                pieces.push_back(packet.clone());
                rewrite::complete_checksum(pieces.back());
            }
            for (const Packet& piece : pieces) {
                wire_packets.emplace_back(piece.bytes().begin(), piece.bytes().end());
            }
        }
        return wire_packets;
    }

    BufferPool pool;
    EgressQueue queue;
    std::vector<WireBytes> originals;
    routing::LinkCapabilities takes = kTakesAll;
    Coalescer coalescer;
};

using Counts = std::vector<std::size_t>;

}  // namespace

TEST_CASE("coalescer: datagrams of a flow leave as one, and are the same again when it is cut") {
    for (const bool by_device : {false, true}) {
        LeavingBatch batch;
        for (std::uint16_t id = 10; id < 14; ++id) {
            Packet& packet = batch.leaves(datagram(id));
            if (by_device) {
                leave_checksum_to_device(packet);
            }
        }
        CHECK(batch.writes() == Counts{4});
        const Offload& offload = batch.queue[0].offload;
        CHECK(offload.gso == Gso::Udp);
        CHECK(offload.gso_size == 100);
        CHECK(offload.header_length == 28);
        CHECK(offload.checksum == ChecksumState::Partial);
        CHECK(offload.checksum_start == 20);
        CHECK(offload.checksum_offset == 6);
        CHECK(batch.cut() == batch.originals);
    }
}

TEST_CASE("coalescer: flows that are interleaved are merged each") {
    LeavingBatch batch;
    for (std::uint16_t id = 1; id <= 3; ++id) {
        batch.leaves(datagram(id));
        batch.leaves(other_datagram(id));
    }
    CHECK(batch.writes() == Counts{3, 3});
}

TEST_CASE("coalescer: more flows than it can hold open lose nothing and stay in order") {
    LeavingBatch batch;
    std::map<std::string, std::vector<WireBytes>> sent;
    for (std::uint16_t round = 0; round < 3; ++round) {
        for (int flow = 0; flow < 40; ++flow) {
            const std::string from = "192.0.2.1:" + std::to_string(4000 + flow);
            batch.leaves(test::udp(from, "192.0.2.2:5000").id(round).payload(10));
            sent[from].push_back(batch.originals.back());
        }
    }
    batch.merge();
    const std::vector<WireBytes> came = batch.cut();
    CHECK(came.size() == 120);
    for (const auto& [from, packets] : sent) {
        std::vector<WireBytes> of_flow;
        std::copy_if(came.begin(), came.end(), std::back_inserter(of_flow),
                     [&](const WireBytes& p) {
                         return std::equal(p.begin() + 20, p.begin() + 22, packets[0].begin() + 20);
                     });
        CHECK(of_flow == packets);
    }
}

TEST_CASE("coalescer: a shorter datagram is the last one, a longer one begins anew") {
    LeavingBatch batch;
    std::uint16_t id = 0;
    for (const std::size_t payload : {100u, 100u, 30u, 100u, 100u, 200u, 200u}) {
        batch.leaves(datagram(++id, payload));
    }
    CHECK(batch.writes() == Counts{3, 2, 2});
    CHECK(batch.cut() == batch.originals);
}

TEST_CASE("coalescer: headers that differ keep packets apart, in their order") {
    const auto apart = [](const PacketBuilder& second) {
        LeavingBatch batch;
        batch.leaves(datagram(1));
        batch.leaves(second);
        batch.leaves(datagram(3));
        const bool none = batch.writes() == Counts{1, 1, 1};
        return none && batch.cut() == batch.originals;
    };
    CHECK(apart(datagram(2).ttl(63)));
    CHECK(apart(datagram(2).tos(3)));
    CHECK(apart(datagram(2).dont_fragment()));
    CHECK(apart(datagram(2, 0)));
    CHECK(apart(datagram(2).fragment(0, true, 48)));
    CHECK(apart(datagram(9)));  // an id that cutting would not give
}

TEST_CASE("coalescer: a wrong checksum leaves as wrong as it came, and none leaves without one") {
    LeavingBatch batch;
    batch.leaves(datagram(1));
    batch.leaves(datagram(2).bad_checksum());
    batch.leaves(datagram(3));
    batch.leaves(datagram(4));
    CHECK(batch.writes() == Counts{1, 1, 2});
    CHECK(batch.cut() == batch.originals);

    LeavingBatch without;
    for (std::uint16_t id = 1; id < 3; ++id) {
        wire::store16(without.leaves(datagram(id)).l4().data() + 6, 0);
    }
    CHECK(without.writes() == Counts{1, 1});
}

TEST_CASE("coalescer: where DF is set, ids mean nothing and may be any") {
    LeavingBatch batch;
    for (const unsigned id : {0u, 0u, 700u, 3u}) {
        batch.leaves(datagram(static_cast<std::uint16_t>(id)).dont_fragment());
    }
    CHECK(batch.writes() == Counts{4});
    LeavingBatch may_be_fragmented;
    may_be_fragmented.leaves(datagram(0));
    may_be_fragmented.leaves(datagram(0));
    CHECK(may_be_fragmented.writes() == Counts{1, 1});
}

TEST_CASE("coalescer: IPv6 datagrams are merged unless their flow labels differ") {
    const PacketBuilder packet = test::udp("[2001:db8::1]:4000", "[2001:db8::2]:5000").payload(50);
    LeavingBatch batch;
    batch.leaves(packet);
    batch.leaves(packet);
    CHECK(batch.writes() == Counts{2});
    CHECK(batch.queue[0].offload.header_length == 48);
    CHECK(batch.cut() == batch.originals);
    LeavingBatch labelled;
    labelled.leaves(packet);
    labelled.leaves(packet).data()[3] = 1;
    CHECK(labelled.writes() == Counts{1, 1});
}

TEST_CASE("coalescer: what has no ports is overtaken by nothing to its destination") {
    LeavingBatch batch;
    batch.leaves(datagram(1));
    batch.leaves(test::udp("192.0.2.1:4000", "192.0.2.3:5000").id(1).payload(10));
    batch.leaves(test::ping("192.0.2.9", "192.0.2.2"));
    batch.leaves(datagram(2));
    batch.leaves(test::udp("192.0.2.1:4000", "192.0.2.3:5000").id(2).payload(10));
    CHECK(batch.writes() == Counts{1, 2, 1, 1});
}

TEST_CASE("coalescer: TCP segments become one up to the one that pushes") {
    LeavingBatch batch;
    batch.leaves(segment_at(1000, 1));
    batch.leaves(segment_at(1100, 2));
    batch.leaves(segment_at(1200, 3).flags(0x18));
    batch.leaves(segment_at(1300, 4));
    CHECK(batch.writes() == Counts{3, 1});
    CHECK(batch.queue[0].offload.gso == Gso::Tcp4);
    CHECK(batch.queue[0].offload.header_length == 40);
    CHECK(batch.cut() == batch.originals);
}

TEST_CASE("coalescer: TCP segments that are not each other's next stay apart") {
    const auto apart = [](const PacketBuilder& second) {
        LeavingBatch batch;
        batch.leaves(segment_at(1000, 1));
        batch.leaves(second);
        return batch.writes() == Counts{1, 1} && batch.cut() == batch.originals;
    };
    CHECK(apart(segment_at(1101, 2)));
    CHECK(apart(segment_at(1100, 2).ack(8)));
    CHECK(apart(segment_at(1100, 2).win(999)));
    CHECK(apart(segment_at(1100, 2).options({1, 1, 1, 1})));
    CHECK(apart(segment_at(1100, 2).fin()));
    CHECK(apart(segment_at(1100, 2).rst()));
    CHECK(apart(segment_at(1100, 2).bad_checksum()));
    CHECK(apart(segment_at(1100, 2).payload(0)));
}

TEST_CASE("coalescer: a super-packet has 64 packets and 65535 bytes at most") {
    LeavingBatch many;
    for (std::uint16_t id = 0; id < 70; ++id) {
        many.leaves(datagram(id, 1));
    }
    CHECK(many.writes() == Counts{64, 6});
    LeavingBatch large;
    for (std::uint16_t id = 0; id < 50; ++id) {
        large.leaves(datagram(id, 1472));
    }
    CHECK(large.writes() == Counts{44, 6});
    CHECK(large.cut() == large.originals);
}

TEST_CASE("coalescer: a link that takes no super-packets gets packets") {
    LeavingBatch batch;
    batch.takes = {.checksum = true, .gso_tcp = true, .gso_udp = false};
    batch.leaves(datagram(1));
    batch.leaves(datagram(2));
    batch.leaves(segment_at(1000, 3));
    batch.leaves(segment_at(1100, 4));
    CHECK(batch.writes() == Counts{1, 1, 2});
}

TEST_CASE("coalescer: packets of a flow for two links are two flows") {
    LeavingBatch batch;
    batch.leaves(datagram(1));
    batch.leaves(datagram(2)).meta.out = IfIndex{3};
    CHECK(batch.writes() == Counts{1, 1});
}
