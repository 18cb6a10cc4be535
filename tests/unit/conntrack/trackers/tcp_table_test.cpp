#include <doctest/doctest.h>

#include <string>

#include "core/conntrack/trackers/tcp_table.hpp"
#include "core/wire/tcp.hpp"

using namespace nsr;
using namespace nsr::conntrack;

namespace {

constexpr const char* kKindNames[kTcpKinds] = {"syn", "synack", "fin", "ack", "rst", "none"};

std::string name(TcpStep next) {
    switch (next) {
        case TcpStep::Invalid:
            return "INVALID";
        case TcpStep::Ignore:
            return "IGNORE";
        default:
            return std::string(tcp_state_name(static_cast<TcpConntrack>(next)));
    }
}

// One line per direction and kind: the next states of NONE, SYN_SENT, SYN_RECV, ESTABLISHED,
// FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE, SYN_SENT2.
std::string dump() {
    std::string text;
    for (const Direction direction : {Direction::Original, Direction::Reply}) {
        for (std::size_t kind = 0; kind < kTcpKinds; ++kind) {
            text += direction == Direction::Original ? "original " : "reply ";
            text += kKindNames[kind];
            text += ':';
            for (std::size_t state = 0; state < kTcpStates; ++state) {
                text += ' ' + name(step(direction, static_cast<TcpKind>(kind),
                                        static_cast<TcpConntrack>(state)));
            }
            text += '\n';
        }
    }
    return text;
}

}  // namespace

TEST_CASE("tcp table: all 120 cells are the kernel's") {
    CHECK(dump() ==
          "original syn: SYN_SENT SYN_SENT IGNORE IGNORE IGNORE IGNORE IGNORE SYN_SENT SYN_SENT "
          "SYN_SENT2\n"
          "original synack: INVALID INVALID SYN_RECV INVALID INVALID INVALID INVALID INVALID "
          "INVALID SYN_RECV\n"
          "original fin: INVALID INVALID FIN_WAIT FIN_WAIT LAST_ACK LAST_ACK LAST_ACK TIME_WAIT "
          "CLOSE INVALID\n"
          "original ack: ESTABLISHED INVALID ESTABLISHED ESTABLISHED CLOSE_WAIT CLOSE_WAIT "
          "TIME_WAIT TIME_WAIT CLOSE INVALID\n"
          "original rst: INVALID CLOSE CLOSE CLOSE CLOSE CLOSE CLOSE CLOSE CLOSE CLOSE\n"
          "original none: INVALID INVALID INVALID INVALID INVALID INVALID INVALID INVALID INVALID "
          "INVALID\n"
          "reply syn: INVALID SYN_SENT2 INVALID INVALID INVALID INVALID INVALID SYN_SENT INVALID "
          "SYN_SENT2\n"
          "reply synack: INVALID SYN_RECV IGNORE IGNORE IGNORE IGNORE IGNORE IGNORE IGNORE "
          "SYN_RECV\n"
          "reply fin: INVALID INVALID FIN_WAIT FIN_WAIT LAST_ACK LAST_ACK LAST_ACK TIME_WAIT CLOSE "
          "INVALID\n"
          "reply ack: INVALID IGNORE SYN_RECV ESTABLISHED CLOSE_WAIT CLOSE_WAIT TIME_WAIT "
          "TIME_WAIT CLOSE IGNORE\n"
          "reply rst: INVALID CLOSE CLOSE CLOSE CLOSE CLOSE CLOSE CLOSE CLOSE CLOSE\n"
          "reply none: INVALID INVALID INVALID INVALID INVALID INVALID INVALID INVALID INVALID "
          "INVALID\n");
}

TEST_CASE("tcp table: nine flag combinations are possible, with or without PSH, ECE and CWR") {
    int possible = 0;
    for (unsigned flags = 0; flags < 64; ++flags) {
        const bool without_psh = (flags & wire::tcp::kPsh) == 0;
        possible += without_psh && flags_possible(static_cast<std::uint8_t>(flags)) ? 1 : 0;
        CHECK(flags_possible(static_cast<std::uint8_t>(flags)) ==
              flags_possible(static_cast<std::uint8_t>(flags ^ 0xc8)));
    }
    CHECK(possible == 9);
    CHECK_FALSE(flags_possible(wire::tcp::kFin));
    CHECK_FALSE(flags_possible(wire::tcp::kSyn | wire::tcp::kFin));
    CHECK_FALSE(flags_possible(0));
}

TEST_CASE("tcp table: RST wins over SYN, SYN over FIN, FIN over ACK") {
    using namespace wire::tcp;
    CHECK(kind_of(kRst | kSyn | kFin | kAck) == TcpKind::Rst);
    CHECK(kind_of(kSyn | kFin) == TcpKind::Syn);
    CHECK(kind_of(kSyn | kAck) == TcpKind::SynAck);
    CHECK(kind_of(kFin | kAck) == TcpKind::Fin);
    CHECK(kind_of(kAck | kPsh) == TcpKind::Ack);
    CHECK(kind_of(kUrg) == TcpKind::None);
}
