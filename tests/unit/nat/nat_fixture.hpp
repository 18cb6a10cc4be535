// A NAT box of conntrack and NAT alone: packets walk the hooks of a forwarding router by hand.
#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>

#include "core/conntrack/conntrack.hpp"
#include "core/nat/nat.hpp"
#include "core/packet/dissect.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"
#include "core/wire/udp.hpp"
#include "tests/support/log_lines.hpp"
#include "tests/support/packet_builder.hpp"

namespace nsr::test {

inline constexpr IfIndex kWan{2};

inline IpAddress address(std::string_view text) {
    return *parse_address(text);
}

// --to-source FIRST-LAST:PORTS
inline nat::Range to(std::string_view first, std::string_view last, Port min_port = 0,
                     Port max_port = 0) {
    nat::Range range;
    range.map_addresses = true;
    range.min_address = address(first);
    range.max_address = address(last);
    range.map_ports = max_port != 0;
    range.min_port = min_port;
    range.max_port = max_port;
    return range;
}

inline nat::Range to(std::string_view only, Port min_port = 0, Port max_port = 0) {
    return to(only, only, min_port, max_port);
}

inline nat::Range masquerade(std::string_view own, IfIndex out = kWan) {
    nat::Range range = to(own);
    range.masquerade = true;
    range.interface = out;
    return range;
}

struct NatBox {
    using Rule = std::optional<nat::Range>;

    BufferPool pool;
    RandomSource random{1};
    LogLines silent;
    conntrack::Conntrack conntrack{conntrack::Settings{}, {{1, 2}, silent, nullptr}};
    nat::Nat nat{conntrack, random, {3, 4}};
    Instant now{std::chrono::seconds(1000)};
    Verdict last = Verdict::accept();

    NatBox() {
        conntrack.set_active(Family::Ipv4, true, now);
        conntrack.set_active(Family::Ipv6, true, now);
    }

    // PREROUTING to POSTROUTING. The packet as it leaves; empty if it was dropped (see `last`).
    Packet forward(const PacketBuilder& builder, Rule dnat = {}, Rule snat = {}) {
        Packet packet = enter(builder, std::move(dnat));
        return packet.empty() ? std::move(packet) : leave(std::move(packet), std::move(snat));
    }
    Packet snat(const PacketBuilder& builder, nat::Range range) {
        return forward(builder, {}, range);
    }
    Packet dnat(const PacketBuilder& builder, nat::Range range) { return forward(builder, range); }

    Packet enter(const PacketBuilder& builder, Rule dnat = {}) {
        Packet packet = builder.packet(pool);
        REQUIRE(dissect(packet).accepted());
        packet.meta.out = kWan;
        last = conntrack.track(packet, now);
        if (last.accepted()) {
            bind(packet, nat::Manip::Destination, dnat);
            last = nat.apply(packet, Hook::Prerouting, now);
        }
        return survive(std::move(packet));
    }

    Packet leave(Packet packet, Rule snat = {}) {
        bind(packet, nat::Manip::Source, snat);
        last = nat.apply(packet, Hook::Postrouting, now);
        if (last.accepted()) {
            last = conntrack.confirm(packet, now);
        }
        return survive(std::move(packet));
    }

    void bind(Packet& packet, nat::Manip manip, const Rule& rule) {
        if (packet.meta.ct_info == CtInfo::New && !nat.bound(packet, manip)) {
            REQUIRE(nat.bind(packet, manip, rule, RuleId::None, now).accepted());
        }
    }

    Packet survive(Packet packet) {
        if (!last.accepted()) {
            conntrack.release(packet);
            packet.reset();
        }
        return packet;
    }
};

// "10.0.0.2:4000 > 192.0.2.1:53"; an ICMP message shows its id behind the source.
inline std::string ends(const Packet& packet) {
    if (packet.empty()) {
        return "dropped";
    }
    const auto source = to_string(packet.layout.source);
    const auto destination = to_string(packet.layout.destination);
    const std::uint8_t* l4 = packet.l4().data();
    if (packet.layout.protocol == proto::kIcmp || packet.layout.protocol == proto::kIcmpv6) {
        return source + " id " + std::to_string(wire::load16(l4 + 4)) + " > " + destination;
    }
    if (packet.layout.protocol != proto::kTcp && packet.layout.protocol != proto::kUdp) {
        return source + " > " + destination;
    }
    return source + ":" + std::to_string(wire::load16(l4)) + " > " + destination + ":" +
           std::to_string(wire::load16(l4 + 2));
}

inline Port source_port(const Packet& packet) {
    return wire::load16(packet.l4().data());
}

// Are all checksums of the packet right?
inline bool sums_up(const Packet& packet) {
    const Layout& layout = packet.layout;
    if (layout.family == Family::Ipv4 &&
        wire::checksum(packet.bytes().first(layout.l4_offset)) != 0) {
        return false;
    }
    const std::uint16_t pseudo = layout.protocol == proto::kIcmp
                                     ? std::uint16_t{0}
                                     : wire::pseudo_header_sum(layout.source, layout.destination,
                                                               layout.protocol, layout.l4_length());
    return wire::sum(packet.l4(), pseudo) == 0xffff;
}

// The packet inside an ICMP error, dissected as if it had come alone. As much as is quoted.
inline Layout quoted(const Packet& error) {
    Layout layout;
    REQUIRE(dissect_quoted(error.l4().subspan(8), layout));
    return layout;
}

}  // namespace nsr::test
