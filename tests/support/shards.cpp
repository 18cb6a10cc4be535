#include "tests/support/shards.hpp"

#include <doctest/doctest.h>

#include <utility>

#include "core/rules/language/parse.hpp"

namespace nsr::test {

namespace {

constexpr std::uint32_t kKey = 0x5eed;

void link_up(Router& router) {
    const auto link = [&](const char* name, const char* address) {
        routing::Interface interface;
        interface.name = name;
        interface.addresses = {*parse_prefix(address)};
        return router.add_interface(std::move(interface));
    };
    CHECK(link("lan", "10.0.0.1/24") == Shards::kLan);
    CHECK(link("wan", "192.0.2.1/24") == Shards::kWan);
    CHECK(router.add_route({*parse_prefix("0.0.0.0/0"), parse_address("192.0.2.254"), Shards::kWan,
                            routing::RouteType::Unicast}) == routing::RouteChange::Done);
}

}  // namespace

Shards::Shards(unsigned count, std::string_view rules) {
    for (unsigned index = 0; index < count; ++index) {
        auto& one = *shards_.emplace_back(std::make_unique<One>(*this, index));
        Router::Options options;
        options.seed = index + 1;
        options.tracking = TrackingMode::On;
        options.shard = {index, count, kKey, &one};
        one.router = std::make_unique<Router>(std::move(options));
        link_up(*one.router);
        rules::Ruleset ruleset;
        CHECK(rules::parse_save(rules, "given", Family::Ipv4, ruleset).empty());
        one.router->apply(std::move(ruleset), now_);
    }
}

std::vector<Shards::Left> Shards::give_and_lose(unsigned at, IfIndex in,
                                                const PacketBuilder& packet) {
    goes_ = in;
    return give(at, in, packet);
}

std::vector<Shards::Left> Shards::give(unsigned at, IfIndex in, const PacketBuilder& packet) {
    Packet made = packet.packet(pool_);
    made.meta.in = in;
    mail_.push_back([this, at, kept = std::make_shared<Packet>(std::move(made))](auto& left) {
        receive(at, std::move(*kept), left);
    });
    return settle();
}

void Shards::receive(unsigned at, Packet packet, std::vector<Left>& left) {
    EgressQueue out;
    router(at).receive({&packet, 1}, now_, out);
    for (Packet& leaves : out) {
        const IfIndex through = leaves.meta.out;
        left.push_back({at, through, std::move(leaves)});
    }
}

std::vector<Shards::Left> Shards::settle() {
    std::vector<Left> left;
    for (unsigned rounds = 0; !mail_.empty(); ++rounds) {
        REQUIRE(rounds < 1000);  // nothing goes round in circles
        const auto next = std::move(mail_.front());
        mail_.pop_front();
        next(left);
    }
    return left;
}

void Shards::after(Duration time) {
    now_ += time;
    for (const auto& one : shards_) {
        EgressQueue out;
        while (!one->router->expire(now_, out)) {
        }
    }
    settle();
}

void Shards::forget_all() {
    for (const auto& one : shards_) {
        conntrack::Table::Cursor cursor;
        for (std::size_t looks = 10000; !cursor.over;) {
            if (const auto id = one->router->conntrack().table().next(cursor, looks)) {
                one->router->destroy_connection(*id, now_);
            }
        }
    }
    settle();
}

bool Shards::One::hand_over(unsigned shard, const Packet& packet) {
    CHECK(shard != number);
    ++crew.handed_over_;
    if (crew.full_) {
        return false;
    }
    if (const IfIndex gone = std::exchange(crew.goes_, IfIndex::None); gone != IfIndex::None) {
        crew.router(shard).remove_interface(gone, crew.now_);
    }
    Packet copy = packet.clone();
    copy.meta = Meta{};
    copy.meta.in = packet.meta.in;
    copy.meta.counted = packet.meta.counted;
    copy.meta.handed_over = true;
    crew.mail_.push_back([all = &crew, shard, kept = std::make_shared<Packet>(std::move(copy))](
                             auto& left) { all->receive(shard, std::move(*kept), left); });
    return true;
}

void Shards::One::claim(unsigned shard, const conntrack::Tuple& tuple, bool holds) {
    crew.mail_.push_back([all = &crew, by = number, shard, tuple, holds](auto&) {
        all->router(shard).shard_duties().claimed(by, tuple, holds, all->now_);
    });
}

std::size_t Shards::entries() const {
    std::size_t count = 0;
    for (const auto& one : shards_) {
        count += one->router->conntrack().table().size();
    }
    return count;
}

std::size_t Shards::claims() const {
    std::size_t count = 0;
    for (const auto& one : shards_) {
        count += one->router->conntrack().shard().claims();
    }
    return count;
}

std::uint64_t Shards::dropped(DropReason reason) const {
    std::uint64_t count = 0;
    for (const auto& one : shards_) {
        count += one->router->drops().of(reason);
    }
    return count;
}

}  // namespace nsr::test
