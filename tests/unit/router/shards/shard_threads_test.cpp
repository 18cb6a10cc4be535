// Shards in threads of their own: whoever sleeps is woken for all that comes, and loses nothing.
#include <doctest/doctest.h>
#include <poll.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <random>
#include <span>
#include <thread>
#include <vector>

#include "core/packet/dissect.hpp"
#include "router/shards/shard_link.hpp"
#include "tests/unit/router/shards/shards_fixture.hpp"

namespace nsr::router {
namespace {

using SteadyClock = std::chrono::steady_clock;
constexpr auto kLongEnough = std::chrono::seconds(30);

bool rings_within(const ShardLink& link, std::chrono::milliseconds time) {
    pollfd bell{link.bell(), POLLIN, 0};
    return ::poll(&bell, 1, static_cast<int>(time.count())) == 1;
}

// False: the deadline has passed.
bool wait_for_bell(const ShardLink& link, SteadyClock::time_point deadline) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - SteadyClock::now());
    return left.count() > 0 && rings_within(link, left);
}

// Tokens go from shard to shard; a shard that has none sleeps until its bell rings, and asks for
// nothing else: if it is not woken, its token goes no further. Each token is a packet of a flow of
// its own, claimed by whoever hands it over.
class Game {
  public:
    Game(unsigned shards, unsigned tokens, unsigned hops) : members_(shards) {
        BufferPool pool;
        for (unsigned i = 0; i < tokens; ++i) {
            tokens_.push_back({hops, 0, tuple_of_flow(i, pool)});
        }
    }

    // True: all of them went their whole way in time.
    bool play() {
        for (unsigned i = 0; i < tokens_.size(); ++i) {
            pass_on(0, packet_of_flow(i, members_[0].pool));
        }
        std::vector<std::thread> threads;
        for (unsigned index = 0; index < members_.links.size(); ++index) {
            threads.emplace_back([this, index] { take_part(index); });
        }
        for (std::thread& thread : threads) {
            thread.join();
        }
        return ended_ == tokens_.size() && !failed_;
    }

  private:
    // Touched by whoever has the token alone.
    struct Token {
        unsigned hops = 0;  // yet to go
        unsigned had_by = 0;
        conntrack::Tuple tuple;
    };

    Token& token_of(const Packet& packet) {
        const auto tuple = conntrack::tuple_of(packet);
        const unsigned number = tuple ? tuple->source_port - 10000U : ~0U;
        return tokens_.at(number);
    }

    void take_part(unsigned self) {
        Member& member = members_[self];
        while (!over_) {
            if (!wait_for_bell(member.link, deadline_)) {
                failed_ = true;
                return;
            }
            member.link.hush();
            bool complete = false;
            while (!complete) {
                complete = member.take(2);
                for (Packet& packet : member.batch) {
                    arrived(self, packet);
                }
            }
        }
    }

    void arrived(unsigned self, Packet& packet) {
        if (!dissect(packet).accepted()) {
            failed_ = true;
            return;
        }
        if (over_) {
            return;
        }
        const auto owner = members_[self].router->conntrack().shard().owner_elsewhere(packet);
        if (owner != token_of(packet).had_by) {
            failed_ = true;  // it came without its claim
        }
        pass_on(self, packet);
    }

    void pass_on(unsigned self, const Packet& packet) {
        Token& token = token_of(packet);
        ShardLink& link = members_[self].link;
        if (token.hops == 0) {
            if (++ended_ == tokens_.size()) {
                over_ = true;
                wake_all(self, packet);
            }
            return;
        }
        const unsigned shards = members_.links.size();
        const unsigned to = (self + 1 + token.hops % (shards - 1)) % shards;
        --token.hops;
        token.had_by = self;
        link.claim(to, token.tuple, true);
        if (!link.hand_over(to, packet)) {
            failed_ = true;
        }
    }

    void wake_all(unsigned self, const Packet& packet) {
        for (unsigned index = 0; index < members_.links.size(); ++index) {
            if (index != self) {
                members_[self].link.hand_over(index, packet);
            }
        }
    }

    Members members_;
    std::vector<Token> tokens_;
    const SteadyClock::time_point deadline_ = SteadyClock::now() + kLongEnough;
    std::atomic<unsigned> ended_ = 0;
    std::atomic<bool> over_ = false;
    std::atomic<bool> failed_ = false;
};

}  // namespace

TEST_CASE("shard threads: between threads that sleep until their bells ring no wake-up is lost") {
    SUBCASE("two shards and one token: each is asleep when it comes") {
        CHECK(Game(2, 1, 20'000).play());
    }
    SUBCASE("two shards and three tokens: it comes while they are about to sleep") {
        CHECK(Game(2, 3, 20'000).play());
    }
    SUBCASE("three shards: two ring the same bell") {
        CHECK(Game(3, 5, 10'000).play());
    }
    SUBCASE("three shards with more tokens than a batch takes") {
        CHECK(Game(3, 64, 2'000).play());
    }
}

// Nobody sees when a bell is being hushed, so it is tried often, at all distances from the first.
TEST_CASE("shard threads: a packet that comes just when the bell for another is being hushed") {
    constexpr unsigned kRounds = 100'000;
    constexpr std::uint32_t kLongestPause = 2000;
    const auto begin = SteadyClock::now();
    const auto in_time = [&](auto limit) { return SteadyClock::now() < begin + limit; };
    Members members(2);
    std::atomic<unsigned> sent = 0;
    std::atomic<unsigned> arrived = 0;
    std::atomic<bool> over = false;
    std::thread sender([&] {
        const Packet packet = packet_of_flow(0, members[0].pool);
        std::minstd_rand random;
        while (sent < 2 * kRounds && !over && in_time(std::chrono::seconds(2))) {
            sent += 2;
            members[0].link.hand_over(1, packet);
            for (auto pause = random() % kLongestPause; pause != 0 && !over; --pause) {
            }
            members[0].link.hand_over(1, packet);
            while (arrived != sent && !over) {
                std::this_thread::yield();
            }
        }
        over = true;
    });
    Member& receiver = members[1];
    while (!over && in_time(kLongEnough)) {
        if (!rings_within(receiver.link, std::chrono::milliseconds(0))) {
            std::this_thread::yield();
            continue;
        }
        receiver.link.hush();
        receiver.take();
        arrived += static_cast<unsigned>(receiver.batch.size());
    }
    over = true;
    sender.join();
    CHECK(sent > 0);
    CHECK(arrived.load() == sent.load());
}

TEST_CASE(
    "shard threads: one thread hands over more than there is room for; what is not lost arrives") {
    constexpr unsigned kPackets = 60'000;
    constexpr unsigned kBetweenClaims = 16;
    const auto deadline = SteadyClock::now() + kLongEnough;
    Members members(2);
    std::atomic<bool> failed = false;
    std::atomic<bool> full = false;
    std::thread sender([&] {
        Member& member = members[0];
        Packet packet = packet_of_flow(0, member.pool, 400);
        const std::span<std::uint8_t> number = packet.bytes().last(sizeof(unsigned));
        conntrack::Tuple tuple = tuple_of_flow(0, member.pool);
        for (unsigned i = 0; i < kPackets; ++i) {
            std::memcpy(number.data(), &i, sizeof i);
            if (!member.link.hand_over(1, packet)) {
                full = true;
                std::this_thread::yield();
            }
            if (i % kBetweenClaims == 0) {
                tuple.destination.words[0] = i;
                member.link.claim(1, tuple, true);
            }
        }
        bool sent = false;
        while (!sent && !failed) {  // the last one has to arrive
            std::memcpy(number.data(), &kPackets, sizeof kPackets);
            sent = member.link.hand_over(1, packet);
            std::this_thread::yield();
        }
    });
    Member& receiver = members[1];
    while (!full && SteadyClock::now() < deadline) {
        std::this_thread::yield();
    }
    unsigned next = 0;
    bool in_order = true;
    while (next <= kPackets && !failed) {
        if (!wait_for_bell(receiver.link, deadline)) {
            failed = true;
        }
        receiver.link.hush();
        bool complete = false;
        while (!complete) {
            complete = receiver.take(64);
            for (const Packet& packet : receiver.batch) {
                unsigned number = 0;
                std::memcpy(&number, packet.bytes().last(sizeof number).data(), sizeof number);
                in_order = in_order && number >= next;
                next = number + 1;
            }
        }
    }
    sender.join();
    CHECK_FALSE(failed);
    CHECK(in_order);
    CHECK(next == kPackets + 1);
    const ShardLink::Counters& sent = members[0].link.counters();
    CHECK(sent.lost > 0);
    CHECK(receiver.link.counters().packets_in == sent.packets_out - sent.lost);
    CHECK(sent.claims_out == kPackets / kBetweenClaims);
    CHECK(receiver.claims() == sent.claims_out);  // none is ever lost
}

// Without bells: the receiver listens all the time, and so often comes between the claims and the
// packet. A sender that waits until it was taken sends no claim by which others might be found.
TEST_CASE("shard threads: with a packet that was taken its claims are heard, if one listens then") {
    constexpr unsigned kPackets = 100'000;
    constexpr std::uint32_t kLongestPause = 300;
    bool waits = false;
    SUBCASE("one after the other") {
        waits = true;
    }
    SUBCASE("many on their way") {
        waits = false;
    }
    const auto begin = SteadyClock::now();
    const auto in_time = [&](auto limit) { return SteadyClock::now() < begin + limit; };
    Members members(2);
    std::atomic<unsigned> sent = 0;
    std::atomic<unsigned> taken = 0;
    std::atomic<bool> ended = false;
    std::atomic<bool> failed = false;
    std::thread sender([&] {
        Member& member = members[0];
        const Packet packet = packet_of_flow(0, member.pool);
        conntrack::Tuple tuple = tuple_of_flow(0, member.pool);
        std::minstd_rand random;
        const auto claim = [&] {
            ++tuple.destination.words[0];
            member.link.claim(1, tuple, true);
        };
        while (sent < kPackets && !failed && in_time(std::chrono::seconds(2))) {
            claim();
            for (auto pause = random() % kLongestPause; pause != 0 && !failed; --pause) {
            }
            claim();
            while (!member.link.hand_over(1, packet) && !failed) {
                std::this_thread::yield();
            }
            ++sent;
            while (waits && taken != sent && !failed) {
                std::this_thread::yield();
            }
        }
        ended = true;
    });
    Member& receiver = members[1];
    std::size_t most = 1;
    while (!failed && !(ended && taken == sent)) {
        receiver.take(most);
        most = most % 7 + 1;
        const auto in_all = taken + static_cast<unsigned>(receiver.batch.size());
        failed = receiver.claims() < std::size_t{2} * in_all || !in_time(kLongEnough);
        taken = in_all;
    }
    sender.join();
    CHECK_FALSE(failed);
    CHECK(sent > 0);
    CHECK(taken.load() == sent.load());
    CHECK(receiver.claims() == std::size_t{2} * sent);
}

// All senders have a box of their own; their receiver goes from one to the next.
TEST_CASE(
    "shard threads: claims of several senders at once: none is lost, and each has its order") {
    constexpr unsigned kClaims = 50'000;
    constexpr unsigned kSenders = 3;
    const auto deadline = SteadyClock::now() + kLongEnough;
    Members members(kSenders + 1);
    Member& receiver = members[kSenders];
    std::vector<std::thread> senders;
    for (unsigned index = 0; index < kSenders; ++index) {
        senders.emplace_back([&link = members[index].link, index,
                              tuple = tuple_of_flow(0, members[index].pool)]() mutable {
            tuple.destination.words[1] = index;
            for (unsigned i = 0; i < kClaims; ++i) {
                tuple.destination.words[0] = i;
                link.claim(kSenders, tuple, true);
                if (i % 2 == 0) {  // heard before it was claimed it would leave the tuple claimed
                    link.claim(kSenders, tuple, false);
                }
            }
        });
    }
    constexpr std::size_t kHeld = kSenders * kClaims / 2;
    bool in_time = true;
    while (receiver.claims() < kHeld && in_time) {
        in_time = wait_for_bell(receiver.link, deadline);
        receiver.link.hush();
        receiver.hear();
    }
    for (std::thread& sender : senders) {
        sender.join();
    }
    receiver.hear();
    CHECK(in_time);
    CHECK(receiver.claims() == kHeld);
    for (unsigned index = 0; index < kSenders; ++index) {
        CHECK(members[index].link.counters().claims_out == kClaims + kClaims / 2);
    }
}

// The lock is waited for: the one puts all the time, the other takes all the time.
TEST_CASE("shard threads: one thread puts claims into a box, another one takes each, in order") {
    constexpr std::uint32_t kClaims = 200'000;
    const auto deadline = SteadyClock::now() + kLongEnough;
    ClaimBox box;
    std::thread sender([&] {
        ClaimBox::Claim claim;
        for (std::uint32_t i = 0; i < kClaims; ++i) {
            claim.tuple.destination = IpAddress::v4(i);
            claim.holds = i % 3 == 0;
            box.put(claim);
        }
    });
    std::uint32_t next = 0;
    bool as_put = true;
    while (next < kClaims && as_put && SteadyClock::now() < deadline) {
        if (box.empty()) {
            std::this_thread::yield();
            continue;
        }
        for (const ClaimBox::Claim& claim : box.take()) {
            as_put = as_put && claim.tuple.destination == IpAddress::v4(next) &&
                     claim.holds == (next % 3 == 0);
            ++next;
        }
    }
    sender.join();
    CHECK(as_put);
    CHECK(next == kClaims);
    CHECK(box.empty());
}

}  // namespace nsr::router
