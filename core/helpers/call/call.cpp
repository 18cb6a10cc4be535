#include "core/helpers/call/call.hpp"

#include <algorithm>
#include <utility>

#include "core/packet/rewrite.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"

namespace nsr::helpers {

using conntrack::Conntrack;
using conntrack::Expectation;
using conntrack::ExpectId;
namespace status = conntrack::status;

bool Call::translated() const {
    return conntrack.table()[id()].has_any(status::kNatMask);
}

std::optional<std::size_t> Call::payload_offset() const {
    const Layout& layout = packet.layout;
    std::size_t header = wire::udp::kHeaderBytes;
    if (layout.protocol == proto::kTcp) {
        const auto tcp = wire::TcpView::parse(packet.l4());
        if (!tcp) {
            return std::nullopt;
        }
        header = tcp->data_offset_bytes();
    }
    const std::size_t offset = layout.l4_offset + header;
    return offset < packet.size() ? std::optional(offset) : std::nullopt;
}

std::string_view Call::payload() const {
    const auto offset = payload_offset();
    if (!offset) {
        return {};
    }
    const auto bytes = packet.bytes().subspan(*offset);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Verdict Call::expect(const Expectation& expectation) {
    return conntrack.expect_related(expectation, now).ok() ? Verdict::accept()
                                                           : refuse("cannot add expectation");
}

Call::Translated Call::expect_translated(const Expectation& expectation, Direction to) {
    return expect_translated(expectation, to, expectation.tuple.destination_port,
                             conntrack::Follow::Master);
}

Call::Translated Call::expect_translated(Expectation expectation, Direction to, Port first,
                                         conntrack::Follow follow) {
    constexpr std::uint32_t kMostAttempts = 128;
    constexpr std::uint32_t kLastPort = 0xffff;
    const std::uint32_t range = kLastPort - first;
    std::uint32_t left = std::min(range, kMostAttempts);
    expectation.saved_port = std::exchange(expectation.tuple.destination_port, first);
    expectation.direction = to;
    expectation.follow = follow;
    for (;;) {
        const auto expected = conntrack.expect_related(expectation, now);
        if (expected) {
            return {expectation.tuple.destination_port, *expected};
        }
        if (expected.error() != Conntrack::ExpectFailure::Clash || left-- == 0) {
            return {};
        }
        expectation.tuple.destination_port = static_cast<Port>(first + random.below(range));
    }
}

bool Call::mangle(std::size_t offset, std::size_t length, std::string_view text) {
    const std::size_t before = payload().size();
    const bool done = mangle_quietly(offset, length, text);
    if (done) {
        note_longer(before);
    }
    return done;
}

bool Call::mangle_quietly(std::size_t offset, std::size_t length, std::string_view text) {
    return rewrite::replace_payload(packet, *payload_offset() + offset, length, text);
}

// kernel: nf_ct_seqadj_set
void Call::note_longer(std::size_t before) {
    if (packet.layout.protocol == proto::kTcp) {
        const std::uint32_t sequence = wire::TcpView::parse(packet.l4())->sequence_number();
        const auto longer = static_cast<std::int32_t>(payload().size() - before);
        conntrack.adjust_sequence(id(), direction(), sequence, longer);
    }
}

void Call::say(LogLevel level, const std::string& line) {
    const auto answer = log_limit.ask(to_jiffies(now));
    if (answer.suppressed != 0) {
        log.log(now, LogLevel::Warning,
                "net_ratelimit: " + std::to_string(answer.suppressed) + " callbacks suppressed");
    }
    if (answer.allowed) {
        log.log(now, level, line);
    }
}

Verdict Call::refuse(const std::string& why) {
    std::string line = "nf_ct_" + std::string(helper_info(conntrack.helper_of(id())).name) +
                       ": dropping packet: " + why;
    if (conntrack.describe_packet) {
        line += " " + conntrack.describe_packet(packet);
    }
    say(LogLevel::Notice, line);
    return Verdict::drop(DropReason::HelperRefused);
}

Verdict Call::ignore_port(Port port) {
    say(LogLevel::Notice, "nf_ct_" + std::string(helper_info(conntrack.helper_of(id())).name) +
                              ": client " + to_proc_string(tuple(Direction::Original).source) +
                              " announces port " + std::to_string(port) + ", below " +
                              std::to_string(kLeastClientPort) + ": not expected");
    return Verdict::accept();
}

Number leading_number(std::string_view text) {
    Number number;
    while (number.length < text.size() && text[number.length] >= '0' &&
           text[number.length] <= '9') {
        number.value = number.value * 10 + static_cast<unsigned>(text[number.length++] - '0');
    }
    return number;
}

}  // namespace nsr::helpers
