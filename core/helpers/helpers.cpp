#include "core/helpers/helpers.hpp"

#include <algorithm>
#include <array>

#include "core/helpers/call/call.hpp"
#include "core/helpers/protocols/pptp.hpp"
#include "core/helpers/protocols/protocols.hpp"
#include "core/helpers/sequence.hpp"
#include "core/helpers/sip/sip.hpp"
#include "core/nat/icmp_inner.hpp"

namespace nsr::helpers {

using conntrack::Expectation;
using conntrack::HelperId;
using conntrack::Tuple;

namespace {

struct Row {
    HelperId id;
    Verdict (*help)(Call& call);
};

constexpr std::array kHelp = std::to_array<Row>({
    {HelperId::Amanda, help_amanda},
    {HelperId::Ftp, help_ftp},
    {HelperId::Irc, help_irc},
    {HelperId::Pptp, help_pptp},
    {HelperId::Sane, help_sane},
    {HelperId::SipTcp, help_sip_tcp},
    {HelperId::SipUdp, help_sip_udp},
    {HelperId::Tftp, help_tftp},
});

nat::Range to_address(const IpAddress& address) {
    nat::Range range;
    set_address(range, address);
    return range;
}

}  // namespace

Helpers::Helpers(conntrack::Conntrack& conntrack, nat::Nat& nat, RandomSource& random, LogSink& log)
    : conntrack_(conntrack), nat_(nat), random_(random), log_(log) {
    conntrack_.on_expected = [this](ConnId id, const Expectation& expectation, Instant now) {
        follow(id, expectation, now);
    };
    conntrack_.on_master_end = [this](ConnId id) {
        if (conntrack_.helper_of(id) == HelperId::Pptp) {
            end_pptp_calls(conntrack_, id);
        }
    };
}

Helpers::~Helpers() {
    conntrack_.on_expected = nullptr;
    conntrack_.on_master_end = nullptr;
}

// kernel: nf_confirm
Verdict Helpers::help(Packet& packet, Instant now) {
    const Meta& meta = packet.meta;
    if (meta.conn == ConnId::None || conntrack_.table()[meta.conn].extra == conntrack::kNoSide ||
        conntrack_.table().help(meta.conn) == nullptr || nat::is_icmp_error(packet)) {
        return Verdict::accept();
    }
    const bool adjusts = conntrack_.adjusts_of(meta.conn) != nullptr;
    const HelperId helper = conntrack_.helper_of(meta.conn);
    const auto* row = std::find_if(kHelp.begin(), kHelp.end(),
                                   [helper](const Row& known) { return known.id == helper; });
    if (row != kHelp.end()) {
        Call call{packet, conntrack_, nat_, random_, log_, log_limit_, now};
        if (const Verdict verdict = row->help(call); !verdict.accepted()) {
            return verdict;
        }
    }
    if (adjusts && packet.meta.in != IfIndex::Loopback) {
        adjust_sequence(packet, direction_of(meta.ct_info), *conntrack_.adjusts_of(meta.conn));
    }
    return Verdict::accept();
}

void Helpers::follow(ConnId id, const Expectation& expectation, Instant now) {
    switch (expectation.follow) {
        case conntrack::Follow::No:
            return;
        case conntrack::Follow::Master:
            return follow_master(id, expectation, now);
        case conntrack::Follow::Sip:
            return follow_sip(conntrack_, nat_, id, expectation, now);
        case conntrack::Follow::Pptp:
            return follow_pptp(conntrack_, nat_, id, expectation, now);
    }
}

// From where the master's packets go to, to where they come from. kernel: nf_nat_follow_master
void Helpers::follow_master(ConnId id, const Expectation& expectation, Instant now) {
    const Tuple other =
        conntrack_.table().tuple(expectation.master, opposite(expectation.direction));
    static_cast<void>(
        nat_.bind_expected(id, nat::Manip::Source, to_address(other.destination), now));
    nat::Range range = to_address(other.source);
    range.map_ports = true;
    range.min_port = range.max_port = expectation.saved_port;
    static_cast<void>(nat_.bind_expected(id, nat::Manip::Destination, range, now));
}

}  // namespace nsr::helpers
