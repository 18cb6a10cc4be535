#include "core/local/loopback_alias.hpp"

#include "core/packet/rewrite.hpp"

namespace nsr::local {

namespace {

constexpr IpAddress kLoopback = IpAddress::v6(0, 0, 0, 1);

void exchange(Packet& packet, const IpAddress& from, const IpAddress& to) {
    if (packet.layout.source == from) {
        rewrite::set_source(packet, to);
    }
    if (packet.layout.destination == from) {
        rewrite::set_destination(packet, to);
    }
}

}  // namespace

void alias_loopback(Packet& packet) {
    exchange(packet, kLoopback, kLoopbackAlias);
}

void restore_loopback(Packet& packet) {
    exchange(packet, kLoopbackAlias, kLoopback);
}

}  // namespace nsr::local
