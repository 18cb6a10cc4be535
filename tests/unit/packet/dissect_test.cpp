#include "core/packet/dissect.hpp"

#include <doctest/doctest.h>

#include <optional>

#include "core/base/random.hpp"
#include "core/wire/protocol.hpp"
#include "tests/unit/packet/frames.hpp"

using namespace nsr;
using namespace nsr::test_frames;

namespace {

// The reason, or nothing if accepted.
std::optional<DropReason> refused(const Frame& frame) {
    BufferPool pool;
    Packet packet(pool, frame);
    const Verdict verdict = dissect(packet);
    return verdict.dropped() ? std::optional(verdict.reason()) : std::nullopt;
}

Frame with_options(const Frame& options) {
    Ip header;
    header.options = options;
    return ip(17, udp({1, 2, 3}), header);
}

unsigned problem_of(const Frame& options) {
    BufferPool pool;
    return packet_of(pool, with_options(options)).layout.problem_pointer;
}

Frame six_with(unsigned first, const Frame& headers) {
    return ip(first, headers + udp({1, 2, 3}, six()), {six()});
}

}  // namespace

TEST_CASE("an IPv4 packet is read into its layout") {
    BufferPool pool;
    Ip header;
    header.tos = 0xb8;
    header.ttl = 7;
    header.id = 4711;
    header.fragment = 0x4000;
    Packet packet(pool, ip(17, udp({1, 2, 3}), header));
    REQUIRE(dissect(packet).accepted());
    const Layout& layout = packet.layout;
    CHECK(layout.family == Family::Ipv4);
    CHECK(layout.protocol == 17);
    CHECK(layout.tos == 0xb8);
    CHECK(layout.ttl == 7);
    CHECK(layout.l4_offset == 20);
    CHECK(layout.total_length == 31);
    CHECK(layout.l4_length() == 11);
    CHECK(layout.identification == 4711);
    CHECK(layout.dont_fragment);
    CHECK_FALSE(layout.is_fragment);
    CHECK(to_string(layout.source) == "10.0.0.2");
    CHECK(to_string(layout.destination) == "198.51.100.7");
}

TEST_CASE("bad IPv4 headers are refused by name") {
    const Frame good = ip(17, udp({1, 2, 3}));
    const auto broken = [&](std::size_t at, unsigned value) {
        Frame frame = good;
        frame[at] = static_cast<std::uint8_t>(value);
        put16(frame, 10, 0);
        put16(frame, 10, wire::checksum(std::span(frame).first(20)));
        return refused(frame);
    };
    CHECK_FALSE(refused(good).has_value());
    CHECK(refused({}) == DropReason::TooShort);
    CHECK(refused(Frame(good.begin(), good.begin() + 19)) == DropReason::TooShort);
    CHECK(broken(0, 0x55) == DropReason::BadVersion);
    CHECK(broken(0, 0x44) == DropReason::BadHeaderLength);
    CHECK(broken(0, 0x4f) == DropReason::BadHeaderLength);
    CHECK(broken(3, 32) == DropReason::BadTotalLength);
    CHECK(broken(3, 19) == DropReason::BadTotalLength);
    Frame wrong_sum = good;
    wrong_sum[8] ^= 1;
    CHECK(refused(wrong_sum) == DropReason::BadHeaderChecksum);
}

TEST_CASE("what is behind the IP length is cut off") {
    BufferPool pool;
    Packet packet(pool, ip(17, udp({1, 2, 3})) + Frame(9, 0xee));
    REQUIRE(dissect(packet).accepted());
    CHECK(packet.size() == 31);
    Packet longer(pool, ip(17, udp({1, 2, 3}, six()), {six()}) + Frame(9, 0xee));
    REQUIRE(dissect(longer).accepted());
    CHECK(longer.size() == 51);
}

TEST_CASE("IPv4 fragments say where they belong") {
    BufferPool pool;
    Ip header;
    header.fragment = 0x2000 | 185;
    const Packet middle = packet_of(pool, ip(17, Frame(16), header));
    CHECK(middle.layout.is_fragment);
    CHECK(middle.layout.more_fragments);
    CHECK(middle.layout.fragment_offset == 1480);
    CHECK_FALSE(middle.layout.has_l4_header());
    header.fragment = 0x2000;
    CHECK(packet_of(pool, ip(17, Frame(16), header)).layout.has_l4_header());
    header.fragment = 0x1fff;
    CHECK(packet_of(pool, ip(17, Frame(16), header)).layout.fragment_offset == 65528);
}

TEST_CASE("IPv4 options: what is malformed is pointed at") {
    CHECK(problem_of({1, 1, 1, 0}) == 0);
    CHECK(problem_of({0, 7, 1, 9}) == 0);               // behind the end of the list
    CHECK(problem_of({148, 4, 0, 0}) == 0);             // router alert
    CHECK(problem_of({7, 7, 4, 0, 0, 0, 0, 0}) == 0);   // record route
    CHECK(problem_of({130, 3, 1, 0}) == 0);             // one that nobody here knows
    CHECK(problem_of({7, 1, 4, 0}) == 20);              // length 1
    CHECK(problem_of({1, 7, 4, 4}) == 21);              // longer than what is left
    CHECK(problem_of({1, 1, 1, 7}) == 23);              // no room for a length
    CHECK(problem_of({1, 7, 3, 3}) == 23);              // pointer below 4
    CHECK(problem_of({7, 7, 6, 0, 0, 0, 0, 0}) == 22);  // room for half an address
    CHECK(problem_of({7, 3, 4, 7, 3, 4, 0, 0}) == 23);  // twice
    CHECK(problem_of({148, 2, 0, 0}) == 21);
    CHECK(problem_of({68, 8, 4, 0, 0, 0, 0, 0}) == 22);  // timestamp: pointer below 5
    CHECK(problem_of({68, 4, 5, 0xf0}) == 23);           // overflow counter is full
    BufferPool pool;
    CHECK(packet_of(pool, with_options({131, 7, 4, 1, 2, 3, 4, 0})).layout.source_routed);
    CHECK(packet_of(pool, with_options({1, 137, 3, 4})).layout.source_routed);
    CHECK_FALSE(packet_of(pool, with_options({7, 3, 4, 0})).layout.source_routed);
}

TEST_CASE("IPv6: the transport header behind the extension headers") {
    BufferPool pool;
    const Frame hop_by_hop = {60, 0, 1, 4, 0, 0, 0, 0};
    const Frame destination = {43, 1, 1, 12 - 6, 0, 0, 0, 0, 0, 0, 1, 4, 0, 0, 0, 0};
    const Frame routing = {17, 0, 2, 0, 0, 0, 0, 0};
    Packet packet =
        packet_of(pool, six_with(0, hop_by_hop + Frame{43, 0, 1, 4, 0, 0, 0, 0} + routing));
    CHECK(packet.layout.protocol == 17);
    CHECK(packet.layout.l4_offset == 64);
    CHECK_FALSE(packet.layout.is_fragment);
    const Frame authentication = Frame{17, 4, 0, 0} + Frame(20);
    CHECK(packet_of(pool, six_with(51, authentication)).layout.l4_offset == 64);
    CHECK(packet_of(pool, six_with(253, {})).layout.protocol == 253);
    CHECK(packet_of(pool, six_with(59, {})).layout.protocol == proto::kNoNext);
}

TEST_CASE("IPv6: headers that run out leave no transport protocol") {
    BufferPool pool;
    const auto walked = [&](unsigned first, const Frame& headers) {
        return packet_of(pool, ip(first, headers, {six()})).layout;
    };
    CHECK(walked(60, {60, 1, 1, 4, 0, 0, 0, 0}).protocol == proto::kNoNext);
    CHECK(walked(60, {60, 1, 1, 4, 0, 0, 0, 0}).l4_length() == 0);
    CHECK(walked(60, {44, 9, 1, 4, 0, 0, 0, 0}).protocol == proto::kNoNext);
    CHECK_FALSE(walked(60, {44, 9, 1, 4, 0, 0, 0, 0}).fragment_header_cut);
    CHECK(walked(43, {17}).protocol == proto::kNoNext);
    CHECK(walked(44, {17, 0, 0}).protocol == proto::kNoNext);
    CHECK(walked(44, {17, 0, 0}).fragment_header_cut);
    CHECK(walked(44, {17, 0, 0, 8, 0}).fragment_header_cut);
    CHECK(walked(44, {60, 0, 0, 0, 0}).fragment_header_cut);
    const Layout named = walked(44, {17, 0, 0, 0});
    CHECK(named.protocol == 17);
    CHECK(named.l4_length() == 0);
    CHECK_FALSE(named.fragment_header_cut);
    // The last names a protocol, whether it is all there or not.
    for (const Frame& header : {Frame{17, 0, 1, 4, 0, 0, 0, 0}, Frame{17, 0, 1, 4, 0, 0, 0},
                                Frame{17, 1, 1, 4, 0, 0, 0, 0}, Frame{17, 255}}) {
        const Layout last = walked(60, header);
        CHECK(last.protocol == 17);
        CHECK(last.l4_length() == 0);
    }
}

TEST_CASE("IPv6 fragments: the walk stops where there is no header to walk on") {
    BufferPool pool;
    const Frame first = {17, 0, 0x00, 0x01, 0, 0, 0x12, 0x34};
    const Packet head = packet_of(pool, six_with(44, first));
    CHECK(head.layout.is_fragment);
    CHECK(head.layout.more_fragments);
    CHECK(head.layout.fragment_header == 40);
    CHECK(head.layout.fragment_prev_next == 6);
    CHECK(head.layout.identification == 0x1234);
    CHECK(head.layout.protocol == 17);
    CHECK(head.layout.l4_offset == 48);
    const Frame later = {60, 0, 0x05, 0xc8, 0, 0, 0x12, 0x34};
    const Packet tail = packet_of(pool, six_with(60, Frame{44, 0, 1, 4, 0, 0, 0, 0} + later));
    CHECK(tail.layout.fragment_offset == 1480);
    CHECK_FALSE(tail.layout.more_fragments);
    CHECK(tail.layout.fragment_header == 48);
    CHECK(tail.layout.fragment_prev_next == 40);
    CHECK(tail.layout.protocol == 60);
    CHECK(tail.layout.l4_offset == 56);
    const Packet atomic = packet_of(pool, six_with(44, {17, 0, 0, 0, 0, 0, 0, 9}));
    CHECK(atomic.layout.is_fragment);
    CHECK(atomic.layout.has_l4_header());
}

TEST_CASE("IPv6 headers that are refused by name") {
    const auto from = [&](const char* source, const char* destination) {
        const Ends ends{*parse_address(source), *parse_address(destination)};
        return refused(ip(17, udp({}, ends), {ends}));
    };
    CHECK_FALSE(from("fd00::2", "2001:db8::7").has_value());
    CHECK_FALSE(from("::", "ff02::1").has_value());
    CHECK(from("::1", "2001:db8::7") == DropReason::MartianSource);
    CHECK(from("ff02::2", "2001:db8::7") == DropReason::MartianSource);
    CHECK(from("fd00::2", "::1") == DropReason::MartianDestination);
    CHECK(from("fd00::2", "ff01::1") == DropReason::MartianDestination);
    CHECK(from("fd00::2", "ff00::1") == DropReason::MartianDestination);
    Frame frame = six_with(17, {});
    put16(frame, 4, static_cast<unsigned>(frame.size() - 40 + 1));
    CHECK(refused(frame) == DropReason::BadTotalLength);
    frame.resize(39);
    CHECK(refused(frame) == DropReason::TooShort);
}

TEST_CASE("IPv6 hop-by-hop options") {
    BufferPool pool;
    const auto judge = [&](const Frame& options, const char* destination = "2001:db8::7") {
        const Ends ends{*parse_address("fd00::2"), *parse_address(destination)};
        Packet packet(pool, ip(0, Frame{17, 0} + options + udp({}, ends), {ends}));
        const Verdict verdict = dissect(packet);
        CHECK((verdict.accepted() || verdict.reason() == DropReason::BadExtensionHeader));
        return std::pair(verdict.accepted(), unsigned{packet.layout.problem_pointer});
    };
    const std::pair fine(true, 0U);
    const std::pair silent(false, 0U);
    CHECK(judge({1, 4, 0, 0, 0, 0}) == fine);
    CHECK(judge({0, 0, 0, 0, 0, 0}) == fine);
    CHECK(judge({5, 2, 0, 0, 1, 0}) == fine);       // router alert
    CHECK(judge({5, 3, 0, 0, 0, 0}) == silent);     // of the wrong length
    CHECK(judge({1, 4, 0, 0, 1, 0}) == silent);     // padding that carries something
    CHECK(judge({1, 5, 0, 0, 0, 0}) == silent);     // runs over the end
    CHECK(judge({0, 0, 0, 0, 0, 1}) == silent);     // no room for a length
    CHECK(judge({0x3e, 4, 0, 0, 0, 0}) == fine);    // unknown: skip
    CHECK(judge({0x7e, 4, 0, 0, 0, 0}) == silent);  // unknown: discard
    CHECK(judge({0xbe, 4, 0, 0, 0, 0}) == std::pair(false, 42U));
    CHECK(judge({0xfe, 4, 0, 0, 0, 0}) == std::pair(false, 42U));
    CHECK(judge({0xbe, 4, 0, 0, 0, 0}, "ff02::1") == std::pair(false, 42U));
    CHECK(judge({0xfe, 4, 0, 0, 0, 0}, "ff02::1") == silent);
    CHECK(judge({0xc2, 4, 0, 0, 0, 20}) == std::pair(false, 44U));  // a jumbogram that is small
    CHECK(judge({0xc2, 4, 0, 0, 0xff, 0xff}) == std::pair(false, 44U));
    CHECK(judge({0xc2, 4, 0, 1, 0, 0}) == std::pair(false, 42U));  // beside a payload length
    CHECK(judge({0xc2, 3, 0, 1, 0, 0}) == silent);
    CHECK(judge({0, 0, 49, 2, 0, 0}) == fine);  // IOAM, at a multiple of four
    CHECK(judge({49, 4, 0, 0, 0, 0}) == silent);
    CHECK(judge({7, 4, 0, 0, 0, 0}) == silent);  // CALIPSO
}

TEST_CASE("a chain of IPv6 headers longer than any payload has no transport header") {
    BufferPool pool;
    Frame bytes(40 + 65535 / 8 * 8 + 8);
    bytes.resize(std::min<std::size_t>(bytes.size(), kMaxPacketBytes));
    bytes[0] = 0x60;
    bytes[6] = 60;
    std::size_t at = 40;
    for (; at + 2048 <= bytes.size(); at += 2048) {
        bytes[at] = 60;
        bytes[at + 1] = 255;
    }
    const std::size_t left = bytes.size() - at;
    bytes[at] = 17;
    bytes[at + 1] = static_cast<std::uint8_t>(left / 8 - 1);
    Layout layout;
    REQUIRE(dissect_quoted(bytes, layout));
    CHECK(layout.protocol == 59);
    CHECK(layout.l4_offset == at);
}

TEST_CASE("a quoted header may promise more than was quoted") {
    const Frame whole = ip(17, udp(counting(500)));
    const Frame quote(whole.begin(), whole.begin() + 28);
    Layout layout;
    REQUIRE(dissect_quoted(quote, layout));
    CHECK(layout.total_length == 28);
    CHECK(layout.l4_length() == 8);
    CHECK(layout.protocol == 17);
    CHECK_FALSE(dissect_quoted(std::span(quote).first(19), layout));
    Frame odd = quote;
    odd[0] = 0x35;  // neither version nor checksum matter in a quote
    CHECK(dissect_quoted(odd, layout, Family::Ipv4));
    odd[0] = 0x48;
    CHECK_FALSE(dissect_quoted(odd, layout, Family::Ipv4));  // header length beyond the quote
    odd[0] = 0x44;                                           // shorter than a header can be
    REQUIRE(dissect_quoted(odd, layout, Family::Ipv4));
    CHECK(layout.l4_offset == 16);
    const Frame six_whole = six_with(60, {17, 0, 1, 4, 0, 0, 0, 0});
    REQUIRE(dissect_quoted(std::span(six_whole).first(50), layout));
    CHECK(layout.family == Family::Ipv6);
    CHECK(layout.protocol == 17);
    CHECK(layout.l4_length() == 2);
    CHECK_FALSE(dissect_quoted(std::span(six_whole).first(39), layout));
}

TEST_CASE("no bytes can hurt: what is accepted lies inside the packet") {
    RandomSource random(42);
    BufferPool pool;
    const std::vector<Frame> seeds = {
        with_options({7, 7, 4, 0, 0, 0, 0, 0}), with_options({68, 8, 5, 1, 0, 0, 0, 0}),
        six_with(0, {60, 0, 1, 4, 0, 0, 0, 0, 44, 0, 1, 4, 0, 0, 0, 0, 17, 0, 0, 1, 0, 0, 0, 1}),
        six_with(43, {51, 0, 0, 0, 0, 0, 0, 0, 17, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})};
    for (int round = 0; round < 20000; ++round) {
        Frame frame = seeds[random.below(static_cast<std::uint32_t>(seeds.size()))];
        for (unsigned n = random.below(6); n > 0; --n) {
            frame[random.below(static_cast<std::uint32_t>(frame.size()))] =
                static_cast<std::uint8_t>(random.next32());
        }
        frame.resize(random.below(static_cast<std::uint32_t>(frame.size() + 1)));
        if (frame.size() >= 20 && frame[0] >> 4 == 4 && round % 2 == 0) {
            const std::size_t header = std::min<std::size_t>((frame[0] & 15) * 4U, frame.size());
            put16(frame, 10, 0);
            put16(frame, 10, wire::checksum(std::span(frame).first(header)));
        }
        Packet packet(pool, frame);
        if (dissect(packet).accepted()) {
            REQUIRE(packet.layout.total_length == packet.size());
            REQUIRE(packet.layout.l4_offset <= packet.size());
        }
        Layout quoted;
        if (dissect_quoted(frame, quoted)) {
            REQUIRE(quoted.l4_offset <= frame.size());
        }
    }
}
