// What production runs: batches of packets of established UDP flows through the whole router, from
// the bytes that a device gave to the bytes that a device takes, with a masquerading rule and
// twenty filter rules of which the last lets the packet through. Flows are visited in a random
// order, half of the packets are answers.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "core/base/random.hpp"
#include "core/pipeline/router.hpp"
#include "core/rules/language/parse.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/checksum.hpp"

namespace nsr::bench {

inline constexpr std::size_t kBatch = 32;
inline constexpr std::size_t kPayload = 64;
inline constexpr std::size_t kPacketBytes = 28 + kPayload;
inline constexpr std::uint32_t kWanAddress = 0xc0000201;  // 192.0.2.1
inline constexpr IfIndex kLan{1};
inline constexpr IfIndex kWan{2};

using Frame = std::array<std::uint8_t, kPacketBytes>;

struct Flow {
    std::uint32_t client;
    std::uint32_t server;
    std::uint16_t port;
};

// No two of one server have the same port, so that masquerading keeps it.
inline Flow flow(std::uint32_t number) {
    constexpr std::uint32_t kPorts = 50000;
    return {0x0a000002 + number % 200, 0xcb007100 + number / kPorts,
            static_cast<std::uint16_t>(1024 + number % kPorts)};
}

inline Frame udp(std::uint32_t source, std::uint32_t destination, std::uint16_t from,
                 std::uint16_t to) {
    Frame bytes{};
    bytes[0] = 0x45;
    wire::store16(&bytes[2], kPacketBytes);
    bytes[8] = 64;
    bytes[9] = 17;
    wire::store32(&bytes[12], source);
    wire::store32(&bytes[16], destination);
    wire::store16(&bytes[10], wire::checksum({bytes.data(), 20}));
    wire::store16(&bytes[20], from);
    wire::store16(&bytes[22], to);
    wire::store16(&bytes[24], 8 + kPayload);  // no checksum: RFC 768 allows it
    return bytes;
}

inline Frame query(std::uint32_t number) {
    const Flow each = flow(number);
    return udp(each.client, each.server, each.port, 443);
}

inline Frame answer(std::uint32_t number) {
    const Flow each = flow(number);
    return udp(each.server, kWanAddress, 443, each.port);
}

inline std::string rules() {
    std::string text = "*nat\n-A POSTROUTING -o wan -j MASQUERADE\nCOMMIT\n*filter\n";
    for (int i = 0; i < 19; ++i) {
        text += "-A FORWARD -s 198.51.100." + std::to_string(i) + " -p tcp --dport 22 -j DROP\n";
    }
    return text + "-A FORWARD -m conntrack --ctstate NEW,ESTABLISHED -j ACCEPT\nCOMMIT\n";
}

inline Router::Options options(std::uint32_t flows) {
    Router::Options wanted;
    wanted.settings.conntrack.max = 0;
    wanted.settings.conntrack.buckets = std::max(flows / 4, 1024u);
    wanted.settings.conntrack.timeouts.udp = 100000;
    wanted.settings.conntrack.timeouts.udp_stream = 100000;
    return wanted;
}

struct BusyRouter {
    explicit BusyRouter(std::uint32_t flows) : router(options(flows)) {
        add_interface("lan", "10.0.0.1/24");
        add_interface("wan", "192.0.2.1/24");
        static_cast<void>(router.add_route({.to = *parse_prefix("0.0.0.0/0"), .interface = kWan}));
        load(rules());
        for (std::uint32_t i = 0; i < flows; ++i) {
            add(query(i), kLan);
            add(answer(i), kWan);
        }
        pass();
        now += std::chrono::seconds(5);
        order.resize(flows);
        std::iota(order.begin(), order.end(), 0u);
        RandomSource random(1);
        for (std::uint32_t i = flows; i > 1; --i) {
            std::swap(order[i - 1], order[random.below(i)]);
        }
    }
    void add_interface(const char* name, const char* address) {
        routing::Interface interface;
        interface.name = name;
        interface.addresses = {*parse_prefix(address)};
        router.add_interface(std::move(interface));
    }
    void add(const Frame& frame, IfIndex in) {
        Packet& packet = batch.emplace_back(pool, frame);
        packet.meta.in = in;
        if (batch.size() == kBatch) {
            pass();
        }
    }
    void pass() {
        router.receive(batch, now, egress);
        left += egress.size();
        batch.clear();
        egress.clear();
    }

    void load(std::string text) {
        rules_text = std::move(text);
        rules::Ruleset ruleset;
        static_cast<void>(rules::parse_save(rules_text, "bench", Family::Ipv4, ruleset));
        router.apply(std::move(ruleset), now);
    }
    void refuse_all() { load("*filter\n-A FORWARD -j DROP\nCOMMIT\n"); }
    // The next batch of them all.
    void pass_batch() {
        for (std::size_t i = 0; i < kBatch; ++i) {
            const std::uint32_t number = order[at];
            at = at + 1 == order.size() ? 0 : at + 1;
            const bool back = (number & 1) != 0;
            add(back ? answer(number) : query(number), back ? kWan : kLan);
        }
    }

    std::string rules_text;
    BufferPool pool;
    Router router;
    Instant now{std::chrono::seconds(1000)};
    std::vector<std::uint32_t> order;
    std::vector<Packet> batch;
    EgressQueue egress;
    std::size_t left = 0;
    std::size_t at = 0;
};

}  // namespace nsr::bench
