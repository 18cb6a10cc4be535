// Bytes as a short history of one router: packets of both families, super-packets, errors,
// fragments, time and flushes, under one of four rulesets. After each step the table must render,
// its count must be the number of lines, nothing may have vanished, and what left must be right.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "core/base/check.hpp"
#include "core/pipeline/router.hpp"
#include "core/procfs/nf_conntrack.hpp"
#include "tests/fuzz/support/packets.hpp"
#include "tests/fuzz/support/router.hpp"

namespace {

using namespace nsr;

struct Rules {
    const char* v4;
    const char* v6;
};

// Few ports, so that they run out; everything; every answer that the router can give; none.
constexpr std::array<Rules, 4> kRules = {
    {{"*nat\n-A POSTROUTING -o wan -p tcp -j SNAT --to-source 192.0.2.1:1000-1003\n"
      "-A POSTROUTING -o wan -p udp -j SNAT --to-source 192.0.2.1:1000-1003\n"
      "-A POSTROUTING -o wan -j SNAT --to-source 192.0.2.1\nCOMMIT\n",
      "*nat\n-A POSTROUTING -o wan -p tcp -j SNAT --to-source [2001:db8::1]:1000-1003\n"
      "-A POSTROUTING -o wan -j SNAT --to-source 2001:db8::1\nCOMMIT\n"},
     {"*nat\n-A PREROUTING -i wan -p tcp --dport 80 -j DNAT --to-destination 10.0.0.9:1000\n"
      "-A PREROUTING -i wan -p udp --dport 80 -j NETMAP --to 10.0.0.0/24\n"
      "-A PREROUTING -i lan -p tcp --dport 22 -j REDIRECT --to-ports 1001\n"
      "-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"
      "*mangle\n-A FORWARD -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu\nCOMMIT\n",
      "*nat\n-A PREROUTING -i wan -p tcp --dport 80 -j DNAT --to-destination [fd00:1::9]:1000\n"
      "-A PREROUTING -i lan -p tcp --dport 22 -j REDIRECT --to-ports 1001\n"
      "-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n"
      "*mangle\n-A FORWARD -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu\nCOMMIT\n"},
     {"*raw\n-A PREROUTING -p udp --sport 1001 -j NOTRACK\nCOMMIT\n"
      "*filter\n-A FORWARD -p tcp --dport 22 -j REJECT --reject-with tcp-reset\n"
      "-A FORWARD -p tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT\n"
      "-A FORWARD -m conntrack --ctstate INVALID -j DROP\n"
      "-A FORWARD -p udp -j REJECT\nCOMMIT\n",
      "*filter\n-A FORWARD -p tcp --dport 22 -j REJECT --reject-with tcp-reset\n"
      "-A FORWARD -m conntrack --ctstate INVALID -j DROP\n"
      "-A FORWARD -p udp -j REJECT\nCOMMIT\n"},
     {"", ""}}};

// No packet vanishes: each one that came in, or that the router made, left, was dropped for a
// reason, was kept for reassembly or got through INPUT.
class Ends : public Observer {
  public:
    void rule_tried(const rules::RuleTried&) override {}
    void policy_applied(rules::TableId, std::string_view, rules::Policy) override {}
    void packet_received(const Packet&) override { ++begun; }
    void stage_done(Hook hook, pipeline::StageId stage, const Packet&, Verdict verdict) override {
        const bool delivered =
            hook == Hook::Input && stage == pipeline::StageId::Confirm && verdict.accepted();
        ended += verdict.was_stolen() || delivered ? 1 : 0;
    }
    void routed(const Packet&, const routing::Decision&) override {}
    void dropped(const Packet&, DropReason) override { ++ended; }
    void left(const Packet&) override { ++ended; }

    std::size_t begun = 0;
    std::size_t ended = 0;
};

void check_table(const Router& router, Instant now) {
    const std::string text = procfs::conntrack_snapshot(router.conntrack(), now);
    const auto lines = std::count(text.begin(), text.end(), '\n');
    NSR_CHECK(static_cast<std::size_t>(lines) == router.conntrack().table().size());
}

// How the first byte sets the stage.
std::unique_ptr<Router> read_router(fuzz::Input& in) {
    const std::uint8_t how = in.byte();
    const Rules& rules = kRules[how & 3];
    fuzz::Shape shape{rules.v4, rules.v6};
    shape.wan_offload = (how & 4) == 0;
    shape.wan_mtu = (how & 8) != 0 ? 1280 : 1500;
    auto router = fuzz::make_router(std::move(shape));
    pipeline::Settings settings = router->settings();
    settings.conntrack.tcp_loose = (how & 16) != 0 ? 0 : 1;
    settings.conntrack.tcp_be_liberal = (how & 32) != 0 ? 1 : 0;
    settings.conntrack.acct = (how & 64) != 0 ? 1 : 0;
    settings.forwarding.rp_filter.all = (how & 128) != 0 ? 1 : 0;
    router->configure(settings);
    return router;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fuzz::Input in(data, size);
    BufferPool pool;
    const auto ends = std::make_unique<Ends>();
    const std::unique_ptr<Router> router = read_router(in);
    router->observe(ends.get());
    Instant now{std::chrono::seconds(100)};
    bool sound = true;
    for (int steps = 0; steps < 100 && !in.done(); ++steps) {
        EgressQueue out;
        const std::uint8_t what = in.byte();
        if (what < 16) {
            now += std::chrono::milliseconds(1u << what);
        } else if (what == 16) {
            const auto& table = router->conntrack().table();
            for (auto id = table.next(std::nullopt); id; id = table.next(id)) {
                router->destroy_connection(*id, now);
            }
        } else if (what == 17) {
            router->set_up(fuzz::kWan, (in.byte() & 1) != 0, now);
        } else if (fuzz::MadePacket made = fuzz::read_packet(in, pool); !made.packet.empty()) {
            sound = sound && made.sound;
            router->receive({&made.packet, 1}, now, out);
        }
        router->expire(now, out);
        check_table(*router, now);
        fuzz::check_egress(*router, out, sound);
        NSR_CHECK(ends->ended >= ends->begun);
    }
    return 0;
}
