#include "tests/fuzz/support/router.hpp"

#include <cstdio>
#include <string>
#include <utility>

#include "core/base/check.hpp"
#include "core/packet/describe.hpp"
#include "core/packet/dissect.hpp"
#include "core/rules/language/parse.hpp"
#include "core/wire/checksum.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::fuzz {
namespace {

void add_interface(Router& router, const char* name, const char* v4, const char* v6) {
    routing::Interface interface;
    interface.name = name;
    interface.addresses = {*parse_prefix(v4), *parse_prefix(v6)};
    interface.capabilities = {.checksum = true, .gso_tcp = true, .gso_udp = true};
    router.add_interface(std::move(interface));
}

void add_default_route(Router& router, const char* everything, const char* gateway) {
    NSR_CHECK(router.add_route({*parse_prefix(everything), parse_address(gateway), kWan, {}}) ==
              routing::RouteChange::Done);
}

// The device takes it as it is. A packet larger than the MTU leaves only as a super-packet.
bool device_takes(const routing::Interface& device, const Packet& packet) {
    const Offload& offload = packet.offload;
    if (offload.checksum == ChecksumState::Partial && !device.capabilities.checksum) {
        return false;
    }
    switch (offload.gso) {
        case Gso::None:
            return packet.size() <= device.mtu;
        case Gso::Udp:
            return device.capabilities.gso_udp;
        case Gso::Tcp4:
        case Gso::Tcp6:
            break;
    }
    return device.capabilities.gso_tcp;
}

bool checksum_holds(const Packet& packet) {
    const Layout& layout = packet.layout;
    if (layout.is_fragment || packet.offload.checksum != ChecksumState::Complete) {
        return true;
    }
    const auto l4 = packet.l4();
    switch (layout.protocol) {
        case proto::kIcmp:
            // All zeros are what the kernel makes of an echo reply whose id becomes 0, too.
            return layout.family != Family::Ipv4 || wire::checksum(l4) == 0 || wire::sum(l4) == 0;
        case proto::kUdp:
            if (layout.family == Family::Ipv4 && l4.size() >= 8 && l4[6] == 0 && l4[7] == 0) {
                return true;
            }
            break;
        case proto::kTcp:
        case proto::kIcmpv6:
            break;
        default:
            return true;
    }
    return wire::sum(l4, wire::pseudo_header_sum(layout.source, layout.destination, layout.protocol,
                                                 static_cast<std::uint32_t>(l4.size()))) == 0xffff;
}

// Hop-by-hop options that stood inside of a fragment, where no router reads them: put together,
// they come to stand in front.
bool was_hidden(const Router& router, Verdict verdict, std::uint64_t reassembled_before) {
    return verdict.reason() == DropReason::BadExtensionHeader &&
           router.defrag().stats(Family::Ipv6).reassembled > reassembled_before;
}

// Who wrote to a group and was translated hears answers and errors from that group.
bool answers_for_group(const Router& router, Verdict verdict, const IpAddress& source) {
    const rules::Table& nat = router.ruleset().table(Family::Ipv6, rules::TableId::Nat);
    const rules::Chain* chain = nat.find("PREROUTING");
    return verdict.reason() == DropReason::MartianSource && source.is_multicast() &&
           chain != nullptr && !chain->rules.empty();
}

void check_packet(Router& router, Packet& packet, bool sound) {
    const char* wrong = nullptr;
    if (!may_leave(router, packet)) {
        wrong = "is no packet that may leave a router";
    } else if (!device_takes(router.interfaces().get(packet.meta.out), packet)) {
        wrong = "is none that its device takes";
    } else if (sound && !checksum_holds(packet)) {
        wrong = "has a wrong checksum";
    }
    if (wrong != nullptr) {
        std::fprintf(stderr, "what left %s: %s\n%s\n", wrong, describe(packet).c_str(),
                     hexdump(packet.bytes()).c_str());
    }
    NSR_CHECK(wrong == nullptr);
}

}  // namespace

std::unique_ptr<Router> make_router(Shape shape) {
    Router::Options options;
    options.tracking = TrackingMode::On;
    options.settings.conntrack.max = shape.conntrack_max;
    options.memory = std::move(shape.memory);
    auto router = std::make_unique<Router>(std::move(options));
    add_interface(*router, "lan", "10.0.0.1/24", "fd00:1::1/64");
    add_interface(*router, "wan", "192.0.2.1/24", "2001:db8::1/64");
    add_default_route(*router, "0.0.0.0/0", "192.0.2.254");
    add_default_route(*router, "::/0", "2001:db8::fe");
    router->set_mtu(kWan, shape.wan_mtu);
    if (!shape.wan_offload) {
        router->set_capabilities(kWan, {});
    }
    rules::Ruleset ruleset;
    NSR_CHECK(rules::parse_save(shape.rules_v4, "v4", Family::Ipv4, ruleset).empty());
    NSR_CHECK(rules::parse_save(shape.rules_v6, "v6", Family::Ipv6, ruleset).empty());
    router->apply(std::move(ruleset), Instant{});
    return router;
}

bool may_leave(const Router& router, Packet& packet, std::uint64_t reassembled_before) {
    const Verdict verdict = dissect(packet);
    return verdict.accepted() || was_hidden(router, verdict, reassembled_before) ||
           answers_for_group(router, verdict, packet.layout.source);
}

void check_egress(Router& router, EgressQueue& out, bool sound) {
    for (Packet& packet : out) {
        check_packet(router, packet, sound);
    }
}

}  // namespace nsr::fuzz
