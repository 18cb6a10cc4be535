#include <doctest/doctest.h>

#include <set>

#include "core/local/local.hpp"
#include "core/packet/segment.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/tcp.hpp"
#include "tests/unit/packet/frames.hpp"

using namespace nsr;
using namespace nsr::local;
using namespace nsr::test_frames;
namespace icmp = wire::icmp;
namespace icmpv6 = wire::icmpv6;

namespace {

const IpAddress kRouter = IpAddress::v4(10, 0, 0, 1);
const IpAddress kRouter6 = *parse_address("fd00::1");
constexpr IcmpError kUnreachable{icmp::kDestinationUnreachable, 0, 0};
constexpr IcmpError kUnreachable6{icmpv6::kDestinationUnreachable, 0, 0};

bool answered(const Frame& frame, IcmpError error = kUnreachable) {
    BufferPool pool;
    const Packet packet = packet_of(pool, frame);
    const bool v4 = packet.layout.family == Family::Ipv4;
    return icmp_error(packet, error, v4 ? kRouter : kRouter6).has_value();
}

Frame icmp_message(unsigned type) {
    return summed({static_cast<std::uint8_t>(type), 0, 0, 0, 0, 0, 0, 0}, 1, 2, {});
}

Frame icmp6_message(unsigned type) {
    return summed({static_cast<std::uint8_t>(type), 0, 0, 0, 0, 0, 0, 0}, 58, 2, six());
}

}  // namespace

TEST_CASE("an IPv4 error quotes up to 576 bytes, IPv6 up to 1280") {
    BufferPool pool;
    for (const std::size_t data : {0U, 10U, 519U, 520U, 521U, 1400U}) {
        const Frame frame = ip(17, udp(counting(data)));
        const auto error = icmp_error(packet_of(pool, frame), {3, 4, 1000}, kRouter);
        REQUIRE(error.has_value());
        CHECK(error->size() == std::min<std::size_t>(576, 28 + frame.size()));
        CHECK(to_hex(error->bytes().subspan(28)) ==
              to_hex(std::span(frame).first(error->size() - 28)));
        CHECK(wire::load32(error->l4().data() + 4) == 1000);
        CHECK(transport_checksum_right(*error));
        CHECK(to_string(error->layout.source) == "10.0.0.1");
        CHECK(to_string(error->layout.destination) == "10.0.0.2");
        CHECK(error->layout.ttl == 64);
        CHECK_FALSE(error->layout.dont_fragment);
    }
    const Frame frame = ip(17, udp(counting(1400), six()), {six()});
    const auto error = icmp_error(packet_of(pool, frame), {2, 0, 1300}, kRouter6);
    REQUIRE(error.has_value());
    CHECK(error->size() == 1280);
    CHECK(transport_checksum_right(*error));
}

TEST_CASE("a parameter problem points with its first byte in IPv4") {
    BufferPool pool;
    const auto four = icmp_error(packet_of(pool, ip(17, udp({}))), {12, 0, 21}, kRouter);
    CHECK(wire::load32(four->l4().data() + 4) == 21U << 24);
    const Packet about = packet_of(pool, ip(17, udp({}, six()), {six()}));
    CHECK(wire::load32(icmp_error(about, {4, 0, 21}, kRouter6)->l4().data() + 4) == 21);
}

TEST_CASE("never an error about an error, nor about what is not known to be none") {
    const std::set<unsigned> queries = {0, 8, 13, 14, 15, 16, 17, 18};
    for (unsigned type = 0; type < 256; ++type) {
        CAPTURE(type);
        CHECK(answered(ip(1, icmp_message(type))) == queries.contains(type));
        CHECK(answered(ip(58, icmp6_message(type), {six()}), kUnreachable6) == (type >= 128));
    }
    CHECK_FALSE(answered(ip(1, {})));
    CHECK_FALSE(answered(ip(58, {}, {six()}), kUnreachable6));
}

TEST_CASE("never an error to nobody or about what was for many") {
    const auto from_to = [](const char* source, const char* destination) {
        const Ends ends{*parse_address(source), *parse_address(destination)};
        return ip(17, udp({}, ends), {ends});
    };
    CHECK(answered(from_to("10.0.0.2", "192.0.2.1")));
    CHECK_FALSE(answered(from_to("0.0.0.0", "192.0.2.1")));
    CHECK_FALSE(answered(from_to("224.0.0.9", "192.0.2.1")));
    CHECK_FALSE(answered(from_to("255.255.255.255", "192.0.2.1")));
    CHECK_FALSE(answered(from_to("10.0.0.2", "224.0.0.1")));
    CHECK_FALSE(answered(from_to("10.0.0.2", "255.255.255.255")));
    CHECK_FALSE(answered(from_to("::", "2001:db8::1"), kUnreachable6));
    CHECK_FALSE(answered(from_to("fd00::2", "ff05::1"), kUnreachable6));
    // RFC 4443 2.4 (e.3)
    CHECK(answered(from_to("fd00::2", "ff05::1"), {icmpv6::kPacketTooBig, 0, 1280}));
}

TEST_CASE("never an IPv4 error about a later fragment; IPv6 has no such rule") {
    Ip header;
    header.fragment = 1;
    CHECK_FALSE(answered(ip(17, counting(20), header)));
    header.fragment = 0x2000;
    CHECK(answered(ip(17, udp(counting(16)), header)));
    CHECK(answered(ip(44, Frame{17, 0, 0x05, 0xc8, 0, 0, 0, 1} + counting(20), {six()}),
                   kUnreachable6));
}

TEST_CASE("an ICMPv6 message that is not there might be an error, unless more is to come") {
    const auto fragment = [](std::uint8_t more) {
        return ip(44, {58, 0, 0, more, 0, 0, 0, 1}, {six()});
    };
    CHECK_FALSE(answered(fragment(0), kUnreachable6));
    CHECK(answered(fragment(1), kUnreachable6));
    CHECK(answered(fragment(6), kUnreachable6));  // reserved bits count, too
}

TEST_CASE("a super-packet is quoted as its first wire segment, with a finished checksum") {
    BufferPool pool;
    Frame l4 = tcp(wire::tcp::kAck | wire::tcp::kPsh, counting(3000));
    put16(l4, 16,
          wire::pseudo_header_sum(Ends{}.source, Ends{}.destination, 6,
                                  static_cast<std::uint32_t>(l4.size())));
    Packet packet = packet_of(pool, ip(6, l4));
    packet.offload.checksum = ChecksumState::Partial;
    packet.offload.checksum_start = 20;
    packet.offload.checksum_offset = 16;
    packet.offload.gso = Gso::Tcp4;
    packet.offload.gso_size = 500;
    const auto error = icmp_error(packet, {3, 4, 400}, kRouter);
    REQUIRE(error.has_value());
    EgressQueue segments;
    segment(packet.clone(), segments);
    REQUIRE(segments.size() == 6);
    const auto quote = error->bytes().subspan(28);
    CHECK(to_hex(quote) == to_hex(segments[0].bytes()));

    packet.offload.gso = Gso::None;
    const auto plain = icmp_error(packet, {3, 4, 400}, kRouter);
    Packet finished = packet.clone();
    CHECK(wire::load16(plain->data() + 28 + 36) != wire::load16(finished.data() + 36));
    CHECK(packet.offload.checksum == ChecksumState::Partial);
}

TEST_CASE("an RST answers with the numbers of RFC 9293 3.5.2") {
    using namespace wire::tcp;
    BufferPool pool;
    struct Row {
        int flags;
        std::size_t data;
        std::uint32_t seq;
        std::uint32_t ack;
    };
    const Row rows[] = {{kSyn, 0, 0, 1001},      {kSyn, 20, 0, 1021},       {kFin, 0, 0, 1001},
                        {0, 5, 0, 1005},         {kSyn | kFin, 1, 0, 1003}, {kAck, 0, 77, 0},
                        {kSyn | kAck, 0, 77, 0}, {kAck | kPsh, 50, 77, 0}};
    for (const bool v4 : {true, false}) {
        const Ends ends = v4 ? Ends{} : six();
        for (const Row& row : rows) {
            CAPTURE(row.flags);
            Ip header{ends};
            header.tos = 0xb8;
            const Frame l4 = tcp(static_cast<unsigned>(row.flags), counting(row.data), ends);
            const auto reset = tcp_reset(packet_of(pool, ip(6, l4, header)));
            REQUIRE(reset.has_value());
            const auto view = *wire::TcpView::parse(reset->l4());
            CHECK(view.sequence_number() == row.seq);
            CHECK(view.acknowledgment_number() == row.ack);
            CHECK(view.flags() == (row.ack != 0 ? kRst | kAck : int{kRst}));
            CHECK(view.source_port() == 80);
            CHECK(view.destination_port() == 40000);
            CHECK(view.window() == 0);
            CHECK(reset->layout.source == ends.destination);
            CHECK(reset->layout.destination == ends.source);
            CHECK(reset->layout.dont_fragment == v4);
            CHECK(reset->layout.identification == 0);
            CHECK(reset->layout.tos == 0);
            CHECK(transport_checksum_right(*reset));
        }
    }
}

TEST_CASE("no RST for an RST, a bad checksum, a fragment, half a header, a crowd") {
    BufferPool pool;
    const auto reset = [&](const Frame& frame) {
        return tcp_reset(packet_of(pool, frame)).has_value();
    };
    CHECK(reset(ip(6, tcp(wire::tcp::kSyn, {}))));
    CHECK_FALSE(reset(ip(6, tcp(wire::tcp::kRst, {}))));
    CHECK_FALSE(reset(ip(6, tcp(wire::tcp::kRst | wire::tcp::kAck, {}))));
    CHECK_FALSE(reset(ip(17, udp({}))));
    Frame wrong = tcp(wire::tcp::kSyn, {});
    wrong[4] ^= 1;
    CHECK_FALSE(reset(ip(6, wrong)));
    Ip later;
    later.fragment = 1;
    CHECK_FALSE(reset(ip(6, tcp(wire::tcp::kSyn, {}), later)));
    CHECK_FALSE(reset(ip(6, Frame(19))));
    const Ends crowd{Ends{}.source, IpAddress::v4(224, 0, 0, 5)};
    CHECK_FALSE(reset(ip(6, tcp(wire::tcp::kSyn, {}, crowd), {crowd})));
}

TEST_CASE("REJECT answers what has a right checksum, or none that is known") {
    BufferPool pool;
    const auto may = [&](const Frame& frame) { return may_reject(packet_of(pool, frame)); };
    CHECK(may(ip(6, tcp(2, {}))));
    CHECK(may(ip(17, udp(counting(9)))));
    CHECK(may(ip(1, echo({}))));
    CHECK(may(ip(58, echo({}, six()), {six()})));
    for (const unsigned protocol : {6U, 17U, 1U}) {
        Frame wrong = protocol == 6 ? tcp(2, {1}) : protocol == 17 ? udp({1}) : echo({1});
        wrong.back() ^= 1;
        CHECK_FALSE(may(ip(protocol, wrong)));
    }
    Frame absent = udp({1});
    put16(absent, 6, 0);
    CHECK(may(ip(17, absent)));
    for (const unsigned protocol : {47U, 50U, 51U, 132U, 136U}) {
        CHECK(may(ip(protocol, counting(24))));
    }
    CHECK_FALSE(may(ip(33, counting(24))));  // summed up like any other since DCCP was retired
    CHECK_FALSE(may(ip(253, {1, 2, 3, 4})));
    CHECK(may(ip(253, {0x12, 0x34, 0xed, 0xcb})));
    Ip later;
    later.fragment = 1;
    CHECK_FALSE(may(ip(17, udp({}), later)));
}
