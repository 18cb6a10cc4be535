// Names of the states in the table, and what we know of the two ends in them:
//
//   no  NONE         no connection
//   ss  SYN_SENT     SYN seen, nothing else
//   sr  SYN_RECV     SYN/ACK seen
//   es  ESTABLISHED  ACK of the SYN/ACK seen, or picked up in the middle
//   fw  FIN_WAIT     one FIN seen
//   cw  CLOSE_WAIT   ACK of that FIN seen
//   la  LAST_ACK     both FINs seen
//   tw  TIME_WAIT    ACK of the second FIN seen
//   cl  CLOSE        RST seen
//   s2  SYN_SENT2    SYN seen from both ends, no ACK yet
//   iv  the segment is INVALID here          ig  it passes and changes nothing
#include "core/conntrack/trackers/tcp_table.hpp"

#include <array>

#include "core/wire/tcp.hpp"

namespace nsr::conntrack {

namespace {

// NOLINTBEGIN(readability-identifier-naming): as short as in the kernel, or there is no table
constexpr auto no = TcpStep::None;
constexpr auto ss = TcpStep::SynSent;
constexpr auto sr = TcpStep::SynRecv;
constexpr auto es = TcpStep::Established;
constexpr auto fw = TcpStep::FinWait;
constexpr auto cw = TcpStep::CloseWait;
constexpr auto la = TcpStep::LastAck;
constexpr auto tw = TcpStep::TimeWait;
constexpr auto cl = TcpStep::Close;
constexpr auto s2 = TcpStep::SynSent2;
constexpr auto iv = TcpStep::Invalid;
constexpr auto ig = TcpStep::Ignore;
// NOLINTEND(readability-identifier-naming)

using Row = std::array<TcpStep, kTcpStates>;
using Half = std::array<Row, kTcpKinds>;

// clang-format off
constexpr std::array<Half, 2> kTable = {{
    {{  // original direction
        //         no  ss  sr  es  fw  cw  la  tw  cl  s2
        /* syn */    {ss, ss, ig, ig, ig, ig, ig, ss, ss, s2},
        // sr..la: the client may have started anew behind our back; the answer will tell.
        // tw, cl: a new connection on the old tuple, see reopens() in tcp.cpp.
        //         no  ss  sr  es  fw  cw  la  tw  cl  s2
        /* synack */ {iv, iv, sr, iv, iv, iv, iv, iv, iv, sr},
        // sr, s2: simultaneous open, answered by the first sender.
        //         no  ss  sr  es  fw  cw  la  tw  cl  s2
        /* fin */    {iv, iv, fw, fw, la, la, la, tw, cl, iv},
        //         no  ss  sr  es  fw  cw  la  tw  cl  s2
        /* ack */    {es, iv, es, es, cw, cw, tw, tw, cl, iv},
        // no: picked up in the middle, if tcp_loose lets us.
        //         no  ss  sr  es  fw  cw  la  tw  cl  s2
        /* rst */    {iv, cl, cl, cl, cl, cl, cl, cl, cl, cl},
        /* none */   {iv, iv, iv, iv, iv, iv, iv, iv, iv, iv},
    }},
    {{  // reply direction
        //         no  ss  sr  es  fw  cw  la  tw  cl  s2
        /* syn */    {iv, s2, iv, iv, iv, iv, iv, ss, iv, s2},
        // tw: the other end opens anew; the roles change.
        //         no  ss  sr  es  fw  cw  la  tw  cl  s2
        /* synack */ {iv, sr, ig, ig, ig, ig, ig, ig, ig, sr},
        // sr..cl: the answer to a SYN that we ignored, or a repetition.
        //         no  ss  sr  es  fw  cw  la  tw  cl  s2
        /* fin */    {iv, iv, fw, fw, la, la, la, tw, cl, iv},
        //         no  ss  sr  es  fw  cw  la  tw  cl  s2
        /* ack */    {iv, ig, sr, es, cw, cw, tw, tw, cl, ig},
        // ss: a half-open server's challenge; the client will answer it with RST.
        //         no  ss  sr  es  fw  cw  la  tw  cl  s2
        /* rst */    {iv, cl, cl, cl, cl, cl, cl, cl, cl, cl},
        /* none */   {iv, iv, iv, iv, iv, iv, iv, iv, iv, iv},
    }},
}};
// clang-format on

constexpr const Row& row(std::size_t direction, TcpKind kind) {
    return kTable[direction][static_cast<std::size_t>(kind)];
}

constexpr bool all_rows(TcpKind kind, bool (*holds)(TcpStep)) {
    for (std::size_t direction = 0; direction < 2; ++direction) {
        for (const TcpStep next : row(direction, kind)) {
            if (!holds(next)) {
                return false;
            }
        }
    }
    return true;
}

constexpr bool reached(TcpStep wanted) {
    for (const Half& half : kTable) {
        for (const Row& cells : half) {
            for (const TcpStep next : cells) {
                if (next == wanted) {
                    return true;
                }
            }
        }
    }
    return false;
}

static_assert(all_rows(TcpKind::None, [](TcpStep next) { return next == iv; }));
static_assert(all_rows(TcpKind::Rst, [](TcpStep next) { return next == iv || next == cl; }));
static_assert(!reached(no), "nothing returns to NONE");
static_assert(reached(ss) && reached(sr) && reached(es) && reached(fw) && reached(cw) &&
              reached(la) && reached(tw) && reached(cl) && reached(s2));

}  // namespace

TcpStep step(Direction direction, TcpKind kind, TcpConntrack state) {
    return row(static_cast<std::size_t>(direction), kind)[static_cast<std::size_t>(state)];
}

TcpKind kind_of(std::uint8_t flags) {
    using namespace wire::tcp;
    if ((flags & kRst) != 0) {
        return TcpKind::Rst;
    }
    if ((flags & kSyn) != 0) {
        return (flags & kAck) != 0 ? TcpKind::SynAck : TcpKind::Syn;
    }
    if ((flags & kFin) != 0) {
        return TcpKind::Fin;
    }
    return (flags & kAck) != 0 ? TcpKind::Ack : TcpKind::None;
}

bool flags_possible(std::uint8_t flags) {
    using namespace wire::tcp;
    switch (flags & ~(kEce | kCwr | kPsh)) {
        case kSyn:
        case kSyn | kUrg:
        case kSyn | kAck:
        case kRst:
        case kRst | kAck:
        case kFin | kAck:
        case kFin | kAck | kUrg:
        case kAck:
        case kAck | kUrg:
            return true;
        default:
            return false;
    }
}

}  // namespace nsr::conntrack
