// Shards as far as their links are concerned: each has a core, and takes what comes for it.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/packet/dissect.hpp"
#include "router/shards/shard_link.hpp"
#include "tests/support/packet_builder.hpp"

namespace nsr::router {

inline constexpr std::uint32_t kKeyOfAll = 0x5eed;
inline constexpr std::size_t kPlenty = 1'000'000;
inline constexpr IfIndex kCameBy{3};

// A flow for each number below some ten thousands, and a packet of it.
inline Packet packet_of_flow(unsigned number, BufferPool& pool, std::size_t bytes = 40) {
    const std::string source = "10.0.0.9:" + std::to_string(10000 + number % 50000);
    Packet packet = test::udp(source, "198.51.100.7:53").payload(bytes).packet(pool);
    packet.meta.in = kCameBy;
    REQUIRE(dissect(packet).accepted());
    return packet;
}

inline conntrack::Tuple tuple_of_flow(unsigned number, BufferPool& pool) {
    const auto tuple = conntrack::tuple_of(packet_of_flow(number, pool));
    REQUIRE(tuple);
    return *tuple;
}

// A shard as far as its link is concerned.
struct Member {
    Member(ShardLinks& links, unsigned index) : link(links.of(index)) {
        Router::Options options;
        options.seed = index + 1;
        options.tracking = TrackingMode::On;
        options.shard = links.place_of(index);
        router = std::make_unique<Router>(std::move(options));
    }
    // Packets, and then what is claimed by now. True: that was all.
    bool take(std::size_t most = kPlenty) {
        batch.clear();
        const bool complete = link.take(pool, batch, most);
        hear();
        return complete;
    }
    void hear() { link.hear_claims(*router, Instant{}); }
    // Takes what there is.
    [[nodiscard]] bool has_packets() {
        take();
        return !batch.empty();
    }
    [[nodiscard]] std::size_t claims() const { return router->conntrack().shard().claims(); }
    // Whose packets of that flow are; nothing: its own.
    std::optional<unsigned> owner_of_flow(unsigned number) {
        return router->conntrack().shard().owner_elsewhere(packet_of_flow(number, pool));
    }
    // The number of a flow whose home is this shard, from `first` on.
    unsigned flow_at_home(unsigned first = 0) {
        while (owner_of_flow(first)) {
            ++first;
        }
        return first;
    }
    void hand_over(unsigned to, unsigned flow) {
        REQUIRE(link.hand_over(to, packet_of_flow(flow, pool)));
    }
    void claim(unsigned to, unsigned flow, bool holds) {
        link.claim(to, tuple_of_flow(flow, pool), holds);
    }
    // Until there is no room. How many found some.
    unsigned fill(unsigned to) {
        constexpr std::size_t kLarge = 5000;
        unsigned count = 0;
        while (link.hand_over(to, packet_of_flow(0, pool, kLarge))) {
            REQUIRE(++count < 16 * Mailbox::kBytes / kLarge);
        }
        return count;
    }

    ShardLink& link;
    BufferPool pool;
    std::vector<Packet> batch;
    std::unique_ptr<Router> router;
};

struct Members {
    explicit Members(unsigned count = 3) : links(count, kKeyOfAll) {
        for (unsigned index = 0; index < count; ++index) {
            all.push_back(std::make_unique<Member>(links, index));
        }
    }
    Member& operator[](unsigned index) { return *all[index]; }

    ShardLinks links;
    std::vector<std::unique_ptr<Member>> all;
};

}  // namespace nsr::router
