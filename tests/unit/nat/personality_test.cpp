// Behaviours of NAT with two links outside, limits of a host, and hosts that meet behind one NAT.
#include <doctest/doctest.h>

#include <string>

#include "tests/unit/nat/nat_fixture.hpp"

using namespace nsr;
using namespace nsr::test;

namespace {

constexpr IfIndex kLan{1};
constexpr IfIndex kAlt{3};

nat::Range cone(std::string_view own, IfIndex out) {
    nat::Range range = masquerade(own, out);
    range.behaves = true;
    range.behaviour.mapping = nat::Dependence::Endpoint;
    range.behaviour.filtering = nat::Dependence::Endpoint;
    range.behaviour.hairpin = nat::Hairpin::External;
    return range;
}

struct TwoLinks : NatBox {
    nat::Range wan = cone("192.0.2.1", kWan);
    nat::Range alt = cone("203.0.113.2", kAlt);

    // Comes in by `in`, leaves by `out`: as what, or why not.
    std::string pass(IfIndex in, IfIndex out, const PacketBuilder& builder, const Rule& snat = {}) {
        Packet packet = builder.packet(pool);
        REQUIRE(dissect(packet).accepted());
        packet.meta.in = in;
        packet.meta.out = out;
        last = conntrack.track(packet, now);
        if (last.accepted()) {
            last = nat.apply(packet, Hook::Prerouting, now);
        }
        if (last.accepted() && !nat.bound(packet, nat::Manip::Source)) {
            last = nat.bind(packet, nat::Manip::Source, snat, RuleId{1}, now);
        }
        if (last.accepted()) {
            last = nat.apply(packet, Hook::Postrouting, now);
        }
        if (last.accepted()) {
            last = conntrack.confirm(packet, now);
        }
        packet = survive(std::move(packet));
        return packet.empty() ? std::string(name_of(last.reason())) : ends(packet);
    }
    std::string out_by_wan(std::string_view inside, std::string_view server = "198.51.100.7:53") {
        return pass(kLan, kWan, udp(inside, server), wan);
    }
    std::string in_by_wan(std::string_view stranger, std::string_view mapped) {
        return pass(kWan, kLan, udp(stranger, mapped));
    }
    std::string turns_back(std::string_view inside, std::string_view mapped) {
        return pass(kLan, kLan, udp(inside, mapped));
    }
};

}  // namespace

TEST_CASE_FIXTURE(TwoLinks, "behaviour: an endpoint has an address of the link by which it goes") {
    CHECK(out_by_wan("10.0.0.2:4000") == "192.0.2.1:4000 > 198.51.100.7:53");
    CHECK(pass(kLan, kAlt, udp("10.0.0.2:4000", "198.51.100.25:53"), alt) ==
          "203.0.113.2:4000 > 198.51.100.25:53");
    CHECK(out_by_wan("10.0.0.2:4000", "198.51.100.8:53") == "192.0.2.1:4000 > 198.51.100.8:53");
    CHECK(nat.mappings().all().size() == 2);
}

TEST_CASE_FIXTURE(TwoLinks, "behaviour: of a link with two addresses an endpoint keeps one") {
    out_by_wan("10.0.0.2:4000");
    wan = cone("192.0.2.9", kWan);  // that of another network of the link
    CHECK(out_by_wan("10.0.0.2:4000", "192.0.2.77:53") == "192.0.2.1:4000 > 192.0.2.77:53");
}

TEST_CASE_FIXTURE(TwoLinks, "behaviour: a pool that has changed is asked again") {
    const auto pool_of = [](std::string_view only) {
        nat::Range range = to(only);
        range.behaves = true;
        range.behaviour.mapping = nat::Dependence::Endpoint;
        return range;
    };
    wan = pool_of("192.0.2.16");
    CHECK(out_by_wan("10.0.0.2:4000") == "192.0.2.16:4000 > 198.51.100.7:53");
    wan = pool_of("192.0.2.17");
    CHECK(out_by_wan("10.0.0.2:4000", "198.51.100.8:53") == "192.0.2.17:4000 > 198.51.100.8:53");
}

TEST_CASE_FIXTURE(TwoLinks, "behaviour: who comes by the other link is no host inside") {
    out_by_wan("10.0.0.2:4000");
    pass(kLan, kAlt, udp("10.0.0.3:4000", "198.51.100.25:53"), alt);
    CHECK(pass(kAlt, kLan, udp("203.0.113.9:7000", "192.0.2.1:4000")) ==
          "203.0.113.9:7000 > 10.0.0.2:4000");
    CHECK(nat.mappings().all().size() == 2);
}

TEST_CASE_FIXTURE(TwoLinks, "behaviour: strangers do not use up what a host may have") {
    wan.behaviour.session_limit = 2;
    out_by_wan("10.0.0.2:4000");
    CHECK(in_by_wan("203.0.113.9:7000", "192.0.2.1:4000") == "203.0.113.9:7000 > 10.0.0.2:4000");
    CHECK(in_by_wan("203.0.113.9:7001", "192.0.2.1:4000") == "203.0.113.9:7001 > 10.0.0.2:4000");
    CHECK(in_by_wan("203.0.113.9:7002", "192.0.2.1:4000") == "nat_session_limit");
    CHECK(out_by_wan("10.0.0.2:4001") == "192.0.2.1:4001 > 198.51.100.7:53");
    CHECK(out_by_wan("10.0.0.2:4002") == "nat_session_limit");
}

TEST_CASE_FIXTURE(TwoLinks, "behaviour: a host that knocked is answered, though it maps anew") {
    wan.behaviour.filtering = nat::Dependence::AddressAndPort;
    out_by_wan("10.0.0.2:4000");
    CHECK(turns_back("10.0.0.3:5000", "192.0.2.1:4000") == "nat_filtered");
    CHECK(nat.mappings().all().size() == 1);  // that of 10.0.0.3 went with the packet
    out_by_wan("10.0.0.3:5000");
    CHECK(turns_back("10.0.0.2:4000", "192.0.2.1:5000") == "192.0.2.1:4000 > 10.0.0.3:5000");
}

TEST_CASE_FIXTURE(TwoLinks,
                  "behaviour: ports in turn are of the class of the port, or the rule's") {
    wan.behaviour.ports = nat::PortChoice::Sequential;
    CHECK(out_by_wan("10.0.0.2:500") == "192.0.2.1:1 > 198.51.100.7:53");
    wan.map_ports = true;
    wan.min_port = 50000;
    wan.max_port = 50001;
    CHECK(out_by_wan("10.0.0.2:4000") == "192.0.2.1:50000 > 198.51.100.7:53");
    CHECK(out_by_wan("10.0.0.2:4001") == "192.0.2.1:50001 > 198.51.100.7:53");
    CHECK(out_by_wan("10.0.0.2:4002") == "nat_ports_used_up");
}

TEST_CASE_FIXTURE(TwoLinks, "behaviour: blocks are of the ports that the rule names") {
    wan.behaviour.ports = nat::PortChoice::Blocks;
    wan.behaviour.block_ports = 50;
    wan.map_ports = true;
    wan.min_port = 50000;
    wan.max_port = 50099;
    out_by_wan("10.0.0.2:4000");
    out_by_wan("10.0.0.3:4000");
    out_by_wan("10.0.0.2:4001");
    std::string blocks;
    for (const auto& [id, mapping] : nat.mappings().all()) {
        REQUIRE(mapping.outside.port >= 50000);
        blocks += std::to_string((mapping.outside.port - 50000) / 50);
    }
    CHECK(blocks == "010");
    CHECK(out_by_wan("10.0.0.4:4000") == "nat_ports_used_up");
}

TEST_CASE("behaviour: whatever happens by two links, nothing is left of what has ended") {
    for (const nat::Profile& profile : nat::profiles()) {
        CAPTURE(profile.name);
        TwoLinks box;
        box.wan.behaviour = box.alt.behaviour = profile.behaviour;
        RandomSource steps{7};
        const auto end = [&](const std::string& host, unsigned first, unsigned count) {
            return host + ":" + std::to_string(first + steps.below(count));
        };
        for (int step = 0; step < 3000; ++step) {
            const std::string host = end("10.0.0." + std::to_string(2 + steps.below(4)), 2000, 8);
            switch (steps.below(8)) {
                case 0:
                    box.in_by_wan(end("203.0.113.9", 7000, 8), end("192.0.2.1", 1024, 2048));
                    break;
                case 1:
                    box.turns_back(host, end("192.0.2.1", 2000, 8));
                    break;
                case 2:
                    box.pass(kAlt, kLan,
                             udp(end("203.0.113.9", 7000, 8), end("192.0.2.1", 2000, 8)));
                    break;
                case 3:
                    box.pass(kLan, kAlt, udp(host, "198.51.100.25:53"), box.alt);
                    break;
                case 4:
                    box.now += std::chrono::seconds(steps.below(20));
                    break;
                case 5:
                    if (steps.below(20) == 0) {
                        box.nat.forget(std::nullopt, box.now);
                    }
                    break;
                default:
                    box.out_by_wan(host, end("198.51.100.7", 53, 4));
            }
            while (!box.conntrack.expire(box.now)) {
            }
        }
        box.now += std::chrono::minutes(10);
        while (!box.conntrack.expire(box.now)) {
        }
        CHECK(box.nat.mappings().empty());
        for (std::uint8_t host = 2; host < 6; ++host) {
            const auto left = box.nat.mappings().sessions_of({IpAddress::v4(10, 0, 0, host)});
            CHECK(left.begun_inside + left.begun_outside == 0);
        }
    }
}
