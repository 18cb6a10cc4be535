#include <doctest/doctest.h>

#include <vector>

#include "core/conntrack/trackers/tcp_window.hpp"

using namespace nsr;
using namespace nsr::conntrack;

namespace {

using wire::tcp::kAck;
using wire::tcp::kSyn;

constexpr auto kClient = Direction::Original;
constexpr auto kServer = Direction::Reply;

TcpSegment segment(std::uint8_t flags, std::uint32_t seq, std::uint32_t ack, std::uint32_t length,
                   std::uint16_t window, const std::vector<std::uint8_t>& options = {}) {
    TcpSegment made;
    made.flags = flags;
    made.kind = kind_of(flags);
    made.seq = seq;
    made.end = seq + length + ((flags & kSyn) != 0 ? 1 : 0);
    made.ack = ack;
    made.window = window;
    made.options = options;
    return made;
}

// Client 1000.., server 5000.., after the handshake; both offer a window of 1000 octets.
TcpState established(const std::vector<std::uint8_t>& client_options = {},
                     const std::vector<std::uint8_t>& server_options = {}) {
    TcpState tcp;
    const auto take = [&tcp](Direction direction, const TcpSegment& made, TcpConntrack next) {
        if (!synchronise(tcp, direction, made)) {
            const WindowSegment window = window_segment(tcp, direction, made, nullptr);
            advance(tcp, direction, made, window);
        }
        tcp.state = static_cast<std::uint8_t>(next);
    };
    const TcpSegment syn = segment(kSyn, 999, 0, 0, 1000, client_options);
    begin_tracking(tcp, syn);
    take(kClient, syn, TcpConntrack::SynSent);
    take(kServer, segment(kSyn | kAck, 4999, 1000, 0, 1000, server_options), TcpConntrack::SynRecv);
    take(kClient, segment(kAck, 1000, 5000, 0, 1000), TcpConntrack::Established);
    return tcp;
}

WindowCheck judge(const TcpState& tcp, Direction direction, const TcpSegment& made) {
    const auto sender = static_cast<std::size_t>(direction);
    return check(tcp.seen[sender], tcp.seen[1 - sender],
                 window_segment(tcp, direction, made, nullptr));
}

WindowBound bound(const TcpState& tcp, const TcpSegment& made) {
    return judge(tcp, kClient, made).bound;
}

const std::vector<std::uint8_t> kScale4 = {3, 3, 4, 0};
const std::vector<std::uint8_t> kScale200 = {3, 3, 200, 0};
const std::vector<std::uint8_t> kSackPermitted = {4, 2, 0, 0};
const std::vector<std::uint8_t> kSackTo6000 = {5, 10, 0, 0, 0x17, 0x0c, 0, 0, 0x17, 0x70, 0, 0};

}  // namespace

TEST_CASE("tcp window: after the handshake each end may send what the other granted") {
    const TcpState tcp = established();
    CHECK(tcp.seen[0].end == 1000);
    CHECK(tcp.seen[0].max_end == 2000);
    CHECK(tcp.seen[1].end == 5000);
    CHECK(tcp.seen[1].max_end == 6000);
    CHECK(tcp.seen[0].max_win == 1000);
    CHECK(tcp.seen[1].max_win == 1000);
}

TEST_CASE("tcp window: bound I, data may begin at the edge, a window beyond it is tolerated") {
    const TcpState tcp = established();
    CHECK(bound(tcp, segment(kAck, 2000, 5000, 100, 1000)) == WindowBound::Inside);
    CHECK(bound(tcp, segment(kAck, 2001, 5000, 100, 1000)) == WindowBound::Overshoot);
    // overshoot = end - max_end + 1 may be one window
    CHECK(bound(tcp, segment(kAck, 2001, 5000, 998, 1000)) == WindowBound::Overshoot);
    const WindowCheck beyond = judge(tcp, kClient, segment(kAck, 2001, 5000, 999, 1000));
    CHECK(beyond.bound == WindowBound::AboveSequence);
    CHECK(beyond.limit == 2001);
    CHECK(beyond.invalid());
}

TEST_CASE("tcp window: bound II, old data is no reason to be INVALID") {
    const TcpState tcp = established();
    CHECK(bound(tcp, segment(kAck, 0, 5000, 0, 1000)) == WindowBound::Inside);
    const WindowCheck old = judge(tcp, kClient, segment(kAck, 1000u - 1001, 5000, 0, 1000));
    CHECK(old.bound == WindowBound::BelowSequence);
    CHECK(old.limit == 1000u - 1001);
    CHECK_FALSE(old.invalid());
}

TEST_CASE("tcp window: bound III, an ACK of what was never sent is INVALID") {
    const TcpState tcp = established();
    CHECK(bound(tcp, segment(kAck, 1000, 5000, 0, 1000)) == WindowBound::Inside);
    const WindowCheck early = judge(tcp, kClient, segment(kAck, 1000, 5001, 0, 1000));
    CHECK(early.bound == WindowBound::AboveAck);
    CHECK(early.limit == 5001);
    CHECK(early.invalid());
}

TEST_CASE("tcp window: bound IV, ACKs may be 66000 octets late") {
    const TcpState tcp = established();
    CHECK(bound(tcp, segment(kAck, 1000, 5000u - 66000, 0, 1000)) == WindowBound::Inside);
    const WindowCheck late = judge(tcp, kClient, segment(kAck, 1000, 5000u - 66001, 0, 1000));
    CHECK(late.bound == WindowBound::BelowAck);
    CHECK_FALSE(late.invalid());
}

TEST_CASE("tcp window: scaling counts only if both offer it, and stops at 14") {
    const TcpState both = established(kScale4, kScale200);
    CHECK(both.scale[0] == 4);
    CHECK(both.scale[1] == 14);
    CHECK(both.seen[1].max_end == 5000 + (1000 << 4));
    const TcpState one = established(kScale4);
    CHECK(one.scale[0] == 0);
    CHECK(one.seen[1].max_end == 6000);
}

TEST_CASE("tcp window: SACK blocks acknowledge only if SACK was agreed on") {
    const TcpSegment sack = segment(kAck, 1000, 5000, 0, 1000, kSackTo6000);
    CHECK(highest_acknowledged(sack) == 6000);
    CHECK(bound(established(), sack) == WindowBound::Inside);
    // the server may receive SACKs: 6000 was never sent
    CHECK(bound(established(kSackPermitted, kSackPermitted), sack) == WindowBound::AboveAck);
}

TEST_CASE("tcp window: malformed options end the list and nothing else") {
    const std::vector<std::uint8_t> cut = {3, 3, 7, 4, 9};
    const auto offer = offer_of(segment(kSyn, 0, 0, 0, 0, cut));
    REQUIRE(offer);
    CHECK(offer->scale == 7);
    CHECK_FALSE(offer->sack);
    const std::vector<std::uint8_t> silly = {8, 0, 3, 3, 7};
    CHECK_FALSE(offer_of(segment(kSyn, 0, 0, 0, 0, silly))->scaling);
    CHECK_FALSE(offer_of(segment(kSyn, 0, 0, 0, 0)));
}

TEST_CASE("tcp window: a shrunk window keeps its old edge, a closed one takes a probe") {
    TcpState tcp = established();
    const auto acknowledge = [&tcp](std::uint32_t ack, std::uint16_t window) {
        const TcpSegment made = segment(kAck, 5000, ack, 0, window);
        advance(tcp, kServer, made, window_segment(tcp, kServer, made, nullptr));
    };
    acknowledge(1000, 10);
    CHECK(tcp.seen[0].max_end == 2000);
    tcp.seen[0].end = 2000;
    acknowledge(2000, 0);
    CHECK(tcp.seen[0].max_end == 2001);
}

TEST_CASE("tcp window: data is unacknowledged until exactly all of it is acknowledged") {
    TcpState tcp = established();
    const TcpSegment data = segment(kAck, 1000, 5000, 100, 1000);
    advance(tcp, kClient, data, window_segment(tcp, kClient, data, nullptr));
    CHECK((tcp.flags[0] & tcp_flag::kDataUnacknowledged) != 0);
    const TcpSegment half = segment(kAck, 5000, 1050, 0, 1000);
    advance(tcp, kServer, half, window_segment(tcp, kServer, half, nullptr));
    CHECK((tcp.flags[0] & tcp_flag::kDataUnacknowledged) != 0);
    const TcpSegment all = segment(kAck, 5000, 1100, 0, 1000);
    advance(tcp, kServer, all, window_segment(tcp, kServer, all, nullptr));
    CHECK((tcp.flags[0] & tcp_flag::kDataUnacknowledged) == 0);
}

TEST_CASE("tcp window: repetitions are counted, anything new starts over") {
    TcpState tcp = established();
    const TcpSegment data = segment(kAck, 1000, 5000, 100, 1000);
    for (int i = 0; i < 4; ++i) {
        advance(tcp, kClient, data, window_segment(tcp, kClient, data, nullptr));
    }
    CHECK(tcp.retransmits == 3);
    const TcpSegment more = segment(kAck, 1100, 5000, 1, 1000);
    advance(tcp, kClient, more, window_segment(tcp, kClient, more, nullptr));
    CHECK(tcp.retransmits == 0);
}

TEST_CASE("tcp window: a connection picked up in the middle is judged liberally") {
    TcpState tcp;
    pick_up(tcp, segment(kAck, 1000, 5000, 10, 100));
    CHECK((tcp.flags[0] & tcp_flag::kBeLiberal) != 0);
    CHECK((tcp.flags[1] & tcp_flag::kBeLiberal) != 0);
    CHECK(tcp.seen[0].max_end == 1110);
    CHECK_FALSE(synchronise(tcp, kServer, segment(kAck, 5000, 1010, 0, 200)));
    CHECK(tcp.seen[1].end == 5000);
    CHECK(tcp.seen[1].max_win == 200);
}

TEST_CASE("tcp window: sequence numbers wrap around") {
    CHECK(before(0xfffffff0, 5));
    CHECK(after(5, 0xfffffff0));
    CHECK_FALSE(before(5, 5));
}
