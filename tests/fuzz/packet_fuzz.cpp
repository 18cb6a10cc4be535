// Any bytes as one frame of a TUN device, vnet header in front, through a router with every table
// in use. What comes out must be a packet that may leave a router.
#include <cstdio>

#include "core/base/check.hpp"
#include "core/packet/describe.hpp"
#include "core/packet/vnet_header.hpp"
#include "core/pipeline/router.hpp"
#include "core/rules/language/parse.hpp"
#include "tests/fuzz/support/router.hpp"

namespace {

constexpr const char* kRules =
    "*raw\n-A PREROUTING -p udp --dport 7 -j NOTRACK\nCOMMIT\n"
    "*mangle\n-A FORWARD -p tcp --syn -j MARK --set-mark 1\nCOMMIT\n"
    "*nat\n-A PREROUTING -i b -p tcp --dport 80 -j DNAT --to-destination 10.0.0.9\n"
    "-A POSTROUTING -o b -j MASQUERADE\nCOMMIT\n"
    "*filter\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\n"
    "-A FORWARD -p icmp --icmp-type 8 -j ACCEPT\n"
    "-A FORWARD -p tcp --dport 22 -j REJECT --reject-with tcp-reset\n"
    "-A FORWARD -p udp --dport 9 -j REJECT\nCOMMIT\n";
constexpr const char* kRules6 =
    "*nat\n-A POSTROUTING -o b -j MASQUERADE\nCOMMIT\n"
    "*filter\n-A FORWARD -m conntrack --ctstate INVALID -j DROP\n"
    "-A FORWARD -p tcp --dport 22 -j REJECT\nCOMMIT\n";

std::unique_ptr<nsr::Router> make_router() {
    nsr::Router::Options options;
    options.tracking = nsr::TrackingMode::On;
    auto router = std::make_unique<nsr::Router>(std::move(options));
    const auto add = [&](const char* name, const char* v4, const char* v6) {
        nsr::routing::Interface interface;
        interface.name = name;
        interface.addresses = {*nsr::parse_prefix(v4), *nsr::parse_prefix(v6)};
        return router->add_interface(std::move(interface));
    };
    add("a", "10.0.0.1/24", "fd00:1::1/64");
    const auto b = add("b", "192.0.2.1/24", "2001:db8::1/64");
    NSR_CHECK(router->add_route(
                  {*nsr::parse_prefix("0.0.0.0/0"), nsr::parse_address("192.0.2.2"), b, {}}) ==
              nsr::routing::RouteChange::Done);
    NSR_CHECK(
        router->add_route({*nsr::parse_prefix("::/0"), nsr::parse_address("2001:db8::2"), b, {}}) ==
        nsr::routing::RouteChange::Done);
    nsr::rules::Ruleset ruleset;
    NSR_CHECK(nsr::rules::parse_save(kRules, "v4", nsr::Family::Ipv4, ruleset).empty());
    NSR_CHECK(nsr::rules::parse_save(kRules6, "v6", nsr::Family::Ipv6, ruleset).empty());
    router->apply(std::move(ruleset), nsr::Instant{});
    return router;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static nsr::BufferPool pool;
    static const std::unique_ptr<nsr::Router> router = make_router();
    static nsr::Instant now{};
    if (size < 1 + nsr::kVnetHeaderBytes) {
        return 0;
    }
    now += std::chrono::milliseconds(10);
    nsr::Packet packet(pool, {data + 1 + nsr::kVnetHeaderBytes, size - 1 - nsr::kVnetHeaderBytes});
    if (!nsr::decode_vnet_header(
            std::span<const std::uint8_t, nsr::kVnetHeaderBytes>(data + 1, nsr::kVnetHeaderBytes),
            packet)) {
        return 0;
    }
    packet.meta.in = nsr::IfIndex(1 + data[0] % 2);
    const auto reassembled = router->defrag().stats(nsr::Family::Ipv6).reassembled;
    nsr::EgressQueue out;
    router->receive({&packet, 1}, now, out);
    router->expire(now, out);
    for (nsr::Packet& left : out) {
        const bool may_leave = nsr::fuzz::may_leave(*router, left, reassembled);
        if (!may_leave) {
            std::fprintf(stderr, "left though it may not: %s\n%s\nbecause of: %s\n",
                         nsr::describe(left).c_str(), nsr::hexdump(left.bytes()).c_str(),
                         nsr::hexdump({data + 1, size - 1}).c_str());
        }
        NSR_CHECK(may_leave);
    }
    return 0;
}
