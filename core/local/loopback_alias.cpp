#include "core/local/loopback_alias.hpp"

#include "core/packet/rewrite.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv6.hpp"

namespace nsr::local {

namespace ipv6 = wire::ipv6;

namespace {

constexpr IpAddress kLoopback = IpAddress::v6(0, 0, 0, 1);

// Of an error about a packet of ours. Nothing has to be right about it but its first bytes.
void exchange_quoted(Packet& packet, const IpAddress& from, const IpAddress& to) {
    const wire::ConstBytes error = packet.l4();
    const std::size_t quoted = packet.layout.l4_offset + wire::icmp::kHeaderBytes;
    if (packet.layout.protocol != proto::kIcmpv6 ||
        error.size() < wire::icmp::kHeaderBytes + ipv6::kHeaderBytes ||
        !wire::icmpv6::is_error(error[wire::icmp::kTypeOffset])) {
        return;
    }
    for (const std::size_t at : {quoted + ipv6::kSourceOffset, quoted + ipv6::kDestinationOffset}) {
        if (IpAddress::from_wire(Family::Ipv6, packet.data() + at) == from) {
            for (std::size_t i = 0; i < to.words.size(); ++i) {
                rewrite::set_l4_u32(packet, at + 4 * i, to.words[i]);
            }
        }
    }
}

void exchange(Packet& packet, const IpAddress& from, const IpAddress& to) {
    if (packet.layout.source == from) {
        rewrite::set_source(packet, to);
    }
    if (packet.layout.destination == from) {
        rewrite::set_destination(packet, to);
    }
    exchange_quoted(packet, from, to);
}

}  // namespace

void alias_loopback(Packet& packet) {
    exchange(packet, kLoopback, kLoopbackAlias);
}

void restore_loopback(Packet& packet) {
    exchange(packet, kLoopbackAlias, kLoopback);
}

}  // namespace nsr::local
