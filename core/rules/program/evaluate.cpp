#include "core/rules/program/evaluate.hpp"

#include "core/wire/bytes.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv6_extension.hpp"
#include "core/wire/tcp.hpp"

namespace nsr::rules {

namespace {

bool equal(const IpAddress& address, const AddressPair& pair) {
    std::uint32_t difference = 0;
    for (std::size_t i = 0; i < pair.address.size(); ++i) {
        difference |= (address.words[i] & pair.mask[i]) ^ pair.address[i];
    }
    return difference == 0;
}

// kernel: tcp_mt, udp_mt, sctp_mt, icmp_match: fragments behind the first never match, a header cut
// short drops the packet; so does a fragment that could overwrite a TCP header (offset 1 of IPv4)
MatchResult transport_header(const Packet& packet, const Instruction& instruction) {
    const Layout& layout = packet.layout;
    if (layout.fragment_offset != 0) {
        const bool overwrites =
            instruction.high != 0 && layout.family == Family::Ipv4 && layout.fragment_offset == 8;
        return overwrites ? MatchResult::HotDrop : MatchResult::No;
    }
    return packet.l4().size() < instruction.low ? MatchResult::HotDrop : MatchResult::Yes;
}

bool port_fits(const Packet& packet, std::size_t offset, const Instruction& instruction) {
    const std::uint16_t port = wire::load16(packet.l4().data() + offset);
    return port >= instruction.low && port <= instruction.high;
}

bool icmp_type(const Packet& packet, const Instruction& instruction) {
    const std::uint8_t* header = packet.l4().data();
    const bool any = instruction.mask != 0;
    const std::uint8_t code = header[wire::icmp::kCodeOffset];
    return any || (header[wire::icmp::kTypeOffset] == instruction.value &&
                   code >= instruction.low && code <= instruction.high);
}

}  // namespace

// kernel: ipv6_find_hdr
bool chain_is_cut(const Packet& packet) {
    const Layout& layout = packet.layout;
    if (layout.family != Family::Ipv6 || layout.protocol != proto::kNoNext) {
        return false;
    }
    wire::ExtensionWalk walk(packet.bytes());
    while (walk.next()) {
    }
    return wire::is_extension_header(walk.type());
}

// kernel: ip_packet_match, ip6_packet_match, and the match functions of the commonest modules
MatchResult evaluate(const RunningBlock& block, const Instruction& instruction, ActionParam& par) {
    const Packet& packet = par.packet;
    const Layout& layout = packet.layout;
    bool hit = false;
    switch (instruction.op) {
        case Op::Protocol:
            if (chain_is_cut(packet)) {
                return MatchResult::HotDrop;
            }
            hit = layout.protocol == instruction.low;
            break;
        case Op::Source4:
            hit = (layout.source.words[0] & instruction.mask) == instruction.value;
            break;
        case Op::Destination4:
            hit = (layout.destination.words[0] & instruction.mask) == instruction.value;
            break;
        case Op::Source6:
            hit = equal(layout.source, block.code->pairs[instruction.value]);
            break;
        case Op::Destination6:
            hit = equal(layout.destination, block.code->pairs[instruction.value]);
            break;
        case Op::InInterface:
            hit = block.interfaces[instruction.value].contains(packet.meta.in);
            break;
        case Op::OutInterface:
            hit = block.interfaces[instruction.value].contains(packet.meta.out);
            break;
        case Op::Fragment:
            hit = layout.fragment_offset != 0;
            break;
        case Op::TransportHeader:
            return transport_header(packet, instruction);
        case Op::SourcePort:
            hit = port_fits(packet, wire::tcp::kSourcePortOffset, instruction);
            break;
        case Op::DestinationPort:
            hit = port_fits(packet, wire::tcp::kDestinationPortOffset, instruction);
            break;
        case Op::TcpFlags:
            hit = (packet.l4()[wire::tcp::kFlagsOffset] & instruction.mask) == instruction.value;
            break;
        case Op::IcmpType:
            hit = icmp_type(packet, instruction);
            break;
        case Op::CtState:
            hit = (state_bits(par) & instruction.mask) != 0;
            break;
        case Op::Mark:
            hit = (packet.meta.mark & instruction.mask) == instruction.value;
            break;
        case Op::Call: {
            par.state = block.states[instruction.value];
            return block.code->calls[instruction.value]->test(par);
        }
    }
    return yes_if(hit != instruction.invert);
}

// kernel: XT_CONNTRACK_STATE_BIT, conntrack_mt
std::uint32_t state_bits(const ActionParam& par) {
    const Meta& meta = par.packet.meta;
    std::uint32_t bits = 0;
    switch (meta.ct_info) {
        case CtInfo::Invalid:
            return ctstate::kInvalid;
        case CtInfo::Untracked:
            return ctstate::kUntracked;
        case CtInfo::New:
            bits = ctstate::kNew;
            break;
        case CtInfo::Established:
        case CtInfo::EstablishedReply:
            bits = ctstate::kEstablished;
            break;
        case CtInfo::Related:
        case CtInfo::RelatedReply:
            bits = ctstate::kRelated;
            break;
    }
    if (meta.conn == ConnId::None) {
        return bits;
    }
    const auto& connection = par.conntrack.table()[meta.conn];
    bits |= connection.has(conntrack::status::kSrcNat) ? ctstate::kSnat : 0u;
    bits |= connection.has(conntrack::status::kDstNat) ? ctstate::kDnat : 0u;
    return bits;
}

}  // namespace nsr::rules
