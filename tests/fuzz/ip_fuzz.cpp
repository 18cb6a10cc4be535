// Lines as ip(8) commands on a router that a packet runs through after each. What is refused has a
// reason, what was done twice is refused or the same, and a listing never fails.
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/check.hpp"
#include "router/tools/ip/command.hpp"
#include "tests/fuzz/support/input.hpp"
#include "tests/fuzz/support/router.hpp"
#include "tests/support/packet_builder.hpp"

namespace {

using namespace nsr;

constexpr Instant kNow{std::chrono::seconds(1000)};

void send(Router& router, const test::PacketBuilder& builder) {
    static BufferPool pool;
    EgressQueue out;
    Packet packet = builder.packet(pool);
    packet.meta.in = fuzz::kLan;
    router.receive({&packet, 1}, kNow, out);
    for (const Packet& left : out) {
        NSR_CHECK(router.interfaces().get(left.meta.out).up);
    }
}

std::string everything(const Router& router) {
    router::IpArgs all;
    all.selection.table.reset();
    std::string text = router::address_listing(router, all) + router::link_listing(router, all) +
                       router::route_listing(router, all, IfIndex::None);
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        all.family = family;
        text += router::rule_listing(router, all);
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input in(data, size);
    const std::unique_ptr<Router> router = fuzz::make_router({});
    for (int steps = 0; steps < 20 && !in.done(); ++steps) {
        const auto args = router::parse_ip_args(in.line());
        if (!args.ok()) {
            NSR_CHECK(!args.error().empty());
            continue;
        }
        const std::string before = everything(*router);
        const router::IpAnswer answer = router::run_ip(*args, *router, kNow, {});
        NSR_CHECK(answer.error.empty() || answer.text.empty());
        const bool unchanged = args->only_shows() || !answer.error.empty();
        NSR_CHECK(!unchanged || everything(*router) == before);
        send(*router, test::udp("10.0.0.2:1000", "198.51.100.7:53").payload(1400));
        send(*router, test::udp("[fd00:1::2]:1000", "[2001:db8:7::7]:53").payload(1400));
    }
    return 0;
}
