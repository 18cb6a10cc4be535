// Bytes as a short history: packets of a few hosts and ports, errors about them, fragments, time
// and flushes. After each step the table must render, and its count must be the number of lines.
#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/check.hpp"
#include "core/pipeline/router.hpp"
#include "core/procfs/nf_conntrack.hpp"
#include "core/rules/language/parse.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"

namespace {

constexpr const char* kRules =
    "*nat\n-A POSTROUTING -o wan -p tcp -j SNAT --to-source 192.0.2.1:1000-1003\n"
    "-A POSTROUTING -o wan -p udp -j SNAT --to-source 192.0.2.1:1000-1003\n"
    "-A POSTROUTING -o wan -j SNAT --to-source 192.0.2.1\nCOMMIT\n";

class Reader {
  public:
    Reader(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
    [[nodiscard]] bool done() const { return at_ >= size_; }
    std::uint8_t byte() { return done() ? std::uint8_t{0} : data_[at_++]; }

  private:
    const std::uint8_t* data_;
    std::size_t size_;
    std::size_t at_ = 0;
};

std::unique_ptr<nsr::Router> make_router() {
    nsr::Router::Options options;
    options.tracking = nsr::TrackingMode::On;
    options.settings.conntrack.max = 8;
    auto router = std::make_unique<nsr::Router>(std::move(options));
    for (const char* address : {"10.0.0.1/24", "192.0.2.1/24"}) {
        nsr::routing::Interface interface;
        interface.name = address[0] == '1' && address[1] == '0' ? "lan" : "wan";
        interface.addresses = {*nsr::parse_prefix(address)};
        router->add_interface(std::move(interface));
    }
    nsr::rules::Ruleset ruleset;
    NSR_CHECK(nsr::rules::parse_save(kRules, "v4", nsr::Family::Ipv4, ruleset).empty());
    router->apply(std::move(ruleset), nsr::Instant{});
    return router;
}

// One packet from eight bytes of the history; inside hosts on one side, outside ones and the
// router's address on the other.
std::vector<std::uint8_t> packet_from(Reader& in) {
    const std::uint8_t shape = in.byte();
    const bool outward = (shape & 1) != 0;
    static constexpr std::array<std::uint8_t, 4> kProtocols = {6, 17, 1, 132};
    const std::uint8_t protocol = kProtocols[(shape >> 1) & 3];
    const std::uint32_t inside = 0x0a000002 + (in.byte() & 3);
    const std::uint32_t outside =
        (shape & 8) != 0 && !outward ? 0xc0000201 : 0xc0000207 + (in.byte() & 1);
    std::vector<std::uint8_t> packet(40 + (in.byte() & 31));
    packet[0] = 0x45;
    nsr::wire::store16(&packet[2], static_cast<std::uint16_t>(packet.size()));
    nsr::wire::store16(
        &packet[6], static_cast<std::uint16_t>((shape & 0x40) != 0 ? (in.byte() & 3) | 0x2000 : 0));
    packet[8] = 64;
    packet[9] = protocol;
    nsr::wire::store32(&packet[12], outward ? inside : outside);
    nsr::wire::store32(&packet[16], outward ? outside : (shape & 8) != 0 ? 0xc0000201 : inside);
    nsr::wire::store16(&packet[20], static_cast<std::uint16_t>(1000 + (in.byte() & 3)));
    nsr::wire::store16(&packet[22], static_cast<std::uint16_t>(1000 + (in.byte() & 3)));
    nsr::wire::store32(&packet[24], in.byte());
    nsr::wire::store32(&packet[28], in.byte());
    packet[32] = 0x50;
    packet[33] = static_cast<std::uint8_t>(in.byte() & 0x3f);
    packet[34] = 1;
    if (protocol == 1) {
        packet[20] = static_cast<std::uint8_t>(in.byte() % 20);
    }
    nsr::wire::store16(&packet[10], nsr::wire::checksum({packet.data(), 20}));
    return packet;
}

// No packet vanishes: each one that came in, or that the router made, left, was dropped for a
// reason, was kept for reassembly or got through INPUT.
class Ends : public nsr::Observer {
  public:
    void rule_tried(nsr::rules::TableId, std::string_view, const nsr::rules::Rule&, bool) override {
    }
    void policy_applied(nsr::rules::TableId, std::string_view, nsr::rules::Policy) override {}
    void packet_received(const nsr::Packet&) override { ++begun; }
    void stage_done(nsr::Hook hook, nsr::pipeline::StageId stage, const nsr::Packet&,
                    nsr::Verdict verdict) override {
        const bool delivered = hook == nsr::Hook::Input &&
                               stage == nsr::pipeline::StageId::Confirm && verdict.accepted();
        ended += verdict.was_stolen() || delivered ? 1 : 0;
    }
    void routed(const nsr::Packet&, const nsr::routing::Decision&) override {}
    void dropped(const nsr::Packet&, nsr::DropReason) override { ++ended; }
    void left(const nsr::Packet&) override { ++ended; }

    std::size_t begun = 0;
    std::size_t ended = 0;
};

void check_egress(const nsr::EgressQueue& out) {
    for (const nsr::Packet& packet : out) {
        NSR_CHECK(!packet.layout.source.is_unspecified());
    }
}

void check_table(const nsr::Router& router, nsr::Instant now) {
    const std::string text = nsr::procfs::conntrack_snapshot(router.conntrack(), now);
    const auto lines = std::count(text.begin(), text.end(), '\n');
    NSR_CHECK(static_cast<std::size_t>(lines) == router.conntrack().table().size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto ends = std::make_unique<Ends>();
    const std::unique_ptr<nsr::Router> router = make_router();
    nsr::pipeline::Settings settings = router->settings();
    settings.conntrack.checksum = 0;
    router->configure(settings);
    router->observe(ends.get());
    nsr::Instant now{std::chrono::seconds(100)};
    Reader in(data, size);
    for (int steps = 0; steps < 200 && !in.done(); ++steps) {
        nsr::EgressQueue out;
        const std::uint8_t what = in.byte();
        if (what < 16) {
            now += std::chrono::milliseconds(1u << what);
        } else if (what == 16) {
            router->conntrack().flush(now);
        } else {
            nsr::Packet packet(router->pool(), packet_from(in));
            packet.meta.in = nsr::IfIndex(packet.data()[12] == 10 ? 1 : 2);
            router->receive({&packet, 1}, now, out);
        }
        router->expire(now, out);
        check_table(*router, now);
        check_egress(out);
        NSR_CHECK(ends->ended >= ends->begun);
    }
    return 0;
}
