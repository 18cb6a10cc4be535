#include "core/packet/segment.hpp"

#include <doctest/doctest.h>

#include "core/packet/rewrite.hpp"
#include "core/wire/tcp.hpp"
#include "tests/unit/packet/frames.hpp"

using namespace nsr;
using namespace nsr::test_frames;

namespace {

Packet super(BufferPool& pool, const Frame& frame, Gso gso, unsigned size) {
    Packet packet = packet_of(pool, frame);
    packet.offload.gso = gso;
    packet.offload.gso_size = static_cast<std::uint16_t>(size);
    packet.offload.checksum = ChecksumState::Partial;
    packet.offload.checksum_start = packet.layout.l4_offset;
    packet.offload.checksum_offset = gso == Gso::Udp ? 6 : 16;
    const Layout& layout = packet.layout;
    wire::store16(packet.l4().data() + packet.offload.checksum_offset,
                  wire::pseudo_header_sum(layout.source, layout.destination, layout.protocol,
                                          layout.l4_length()));
    return packet;
}

Frame payload_of(const EgressQueue& pieces, std::size_t headers) {
    Frame all;
    for (const Packet& piece : pieces) {
        const auto part = piece.bytes().subspan(headers);
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

}  // namespace

TEST_CASE("a TCP super-packet becomes the segments the sender would have sent") {
    using namespace wire::tcp;
    BufferPool pool;
    const Frame data = counting(3500);
    for (const bool v4 : {true, false}) {
        const Ends ends = v4 ? Ends{} : six();
        Ip header{ends};
        header.id = 0xffff;
        header.fragment = 0x4000;
        const Frame l4 = tcp(kAck | kPsh | kFin | kCwr, data, ends);
        Packet packet = super(pool, ip(6, l4, header), v4 ? Gso::Tcp4 : Gso::Tcp6, 1000);
        packet.meta.mark = 77;
        const std::size_t headers = packet.layout.l4_offset + 20U;
        CHECK(wire_length(packet) == headers + 1000);

        EgressQueue out;
        segment(std::move(packet), out);
        REQUIRE(out.size() == 4);
        CHECK(payload_of(out, headers) == data);
        for (unsigned i = 0; i < 4; ++i) {
            CAPTURE(i);
            const Packet& piece = out[i];
            const auto view = *wire::TcpView::parse(piece.l4());
            CHECK(view.sequence_number() == 1000 + 1000 * i);
            CHECK(view.flags() == (i == 0 ? kAck | kCwr : i == 3 ? kAck | kPsh | kFin : int{kAck}));
            CHECK(piece.size() == headers + (i == 3 ? 500U : 1000U));
            CHECK(transport_checksum_right(piece));
            CHECK(piece.offload.checksum == ChecksumState::Complete);
            CHECK(piece.offload.gso == Gso::None);
            CHECK(piece.meta.mark == 77);
            CHECK(wire_length(piece) == piece.size());
            Packet fresh = piece.clone();
            REQUIRE(dissect(fresh).accepted());  // lengths and header checksum
            CHECK(fresh.layout.total_length == piece.layout.total_length);
            if (v4) {
                CHECK(fresh.layout.identification == ((0xffff + i) & 0xffff));
                CHECK(piece.layout.identification == fresh.layout.identification);
                CHECK(fresh.layout.dont_fragment);
            }
        }
    }
}

TEST_CASE("a UDP super-packet becomes datagrams with their own length and checksum") {
    BufferPool pool;
    const Frame data = counting(2500);
    for (const bool v4 : {true, false}) {
        const Ends ends = v4 ? Ends{} : six();
        Packet packet = super(pool, ip(17, udp(data, ends), {ends}), Gso::Udp, 1200);
        const std::size_t headers = packet.layout.l4_offset + 8U;
        EgressQueue out;
        segment(std::move(packet), out);
        REQUIRE(out.size() == 3);
        CHECK(payload_of(out, headers) == data);
        const unsigned lengths[] = {1208, 1208, 108};
        for (unsigned i = 0; i < 3; ++i) {
            CHECK(wire::load16(out[i].l4().data() + 4) == lengths[i]);
            CHECK(wire::load16(out[i].l4().data() + 6) != 0);
            CHECK(transport_checksum_right(out[i]));
            CHECK(out[i].layout.identification == (v4 ? 1 + i : 0));
        }
    }
}

TEST_CASE("a partial checksum that is wrong is wrong by as much in every segment") {
    BufferPool pool;
    constexpr std::uint16_t kWrongBy = 7;
    for (const bool is_tcp : {true, false}) {
        const Frame data = counting(2500);
        Packet packet = is_tcp ? super(pool, ip(6, tcp(0x10, data)), Gso::Tcp4, 1200)
                               : super(pool, ip(17, udp(data)), Gso::Udp, 1200);
        std::uint8_t* field = packet.l4().data() + packet.offload.checksum_offset;
        wire::store16(field, wire::fold(std::uint64_t{wire::load16(field)} + kWrongBy));
        EgressQueue out;
        segment(std::move(packet), out);
        REQUIRE(out.size() == 3);
        for (const Packet& piece : out) {
            const Layout& layout = piece.layout;
            CHECK(wire::sum(piece.l4(), wire::pseudo_header_sum(
                                            layout.source, layout.destination, layout.protocol,
                                            layout.l4_length())) == 0xffff - kWrongBy);
        }
    }
}

TEST_CASE("a UDP checksum that comes to 0 is sent as 0xffff") {
    BufferPool pool;
    Packet packet = super(pool, ip(17, udp(counting(200))), Gso::Udp, 100);
    EgressQueue once;
    segment(packet.clone(), once);
    // Its own checksum in the data makes that of the first segment 0.
    wire::store16(packet.l4().data() + 8,
                  wire::fold(std::uint64_t{wire::load16(packet.l4().data() + 8)} +
                             wire::load16(once[0].l4().data() + 6)));
    EgressQueue out;
    segment(std::move(packet), out);
    CHECK(wire::load16(out[0].l4().data() + 6) == 0xffff);
    CHECK(transport_checksum_right(out[0]));
}

TEST_CASE("a super-packet that is no longer than one segment is finished as it is") {
    BufferPool pool;
    EgressQueue out;
    segment(super(pool, ip(6, tcp(0x10, counting(100))), Gso::Tcp4, 100), out);
    REQUIRE(out.size() == 1);
    CHECK(out[0].offload.gso == Gso::None);
    CHECK(transport_checksum_right(out[0]));
}

TEST_CASE("a super-packet whose transport header is not what it claims is left whole") {
    BufferPool pool;
    Frame l4 = tcp(0x10, counting(3000));
    l4[12] = 0xf0;  // the header claims to be longer than it is meant to, but it is there
    EgressQueue out;
    segment(super(pool, ip(6, l4), Gso::Tcp4, 1000), out);
    CHECK(out.size() == 3);  // 60 bytes of header, 2960 of payload
    out.clear();
    l4[12] = 0x20;
    segment(super(pool, ip(6, l4), Gso::Tcp4, 1000), out);
    REQUIRE(out.size() == 1);
    CHECK(out[0].size() == 3040);
    CHECK(wire_length(super(pool, ip(6, l4), Gso::Tcp4, 1000)) == 3040);
}

TEST_CASE("the first segment alone is the first of all") {
    BufferPool pool;
    for (const unsigned size : {1000U, 5000U}) {
        const Packet whole = super(pool, ip(6, tcp(0x18, counting(3000))), Gso::Tcp4, size);
        const Packet first = first_segment(whole);
        EgressQueue all;
        segment(whole.clone(), all);
        CHECK(to_hex(first.bytes()) == to_hex(all[0].bytes()));
        CHECK(first.offload.gso == Gso::None);
        CHECK(first.offload.checksum == all[0].offload.checksum);
    }
}

TEST_CASE("translating the super-packet is translating its segments") {
    BufferPool pool;
    const Frame data = counting(2900);
    Packet whole = super(pool, ip(6, tcp(0x18, data)), Gso::Tcp4, 1448);
    Packet copy = whole.clone();
    const auto translate = [](Packet& packet) {
        rewrite::set_source(packet, IpAddress::v4(192, 0, 2, 1));
        rewrite::set_source_port(packet, 61234);
        rewrite::decrement_ttl(packet);
    };
    translate(whole);
    EgressQueue translated_first;
    segment(std::move(whole), translated_first);
    EgressQueue cut_first;
    segment(std::move(copy), cut_first);
    REQUIRE(translated_first.size() == cut_first.size());
    for (std::size_t i = 0; i < cut_first.size(); ++i) {
        translate(cut_first[i]);
        CHECK(to_hex(cut_first[i].bytes()) == to_hex(translated_first[i].bytes()));
    }
}
