#include "router/shards/shard_link.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "netlink/error.hpp"

namespace nsr::router {

ShardLink::ShardLink(ShardLinks& links, unsigned index)
    : links_(links),
      index_(index),
      bell_(netlink::check_call("make the bell of a shard",
                                ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))) {
}

bool ShardLink::hand_over(unsigned shard, const Packet& packet) {
    ++counters_.packets_out;
    if (!links_.boxes(index_, shard)->packets.put(packet)) {
        ++counters_.lost;
        return false;
    }
    links_.of(shard).ring();
    return true;
}

void ShardLink::claim(unsigned shard, const conntrack::Tuple& tuple, bool holds) {
    ++counters_.claims_out;
    links_.boxes(index_, shard)->claims.put({tuple, holds});
    links_.of(shard).ring();
}

// By another shard's thread. What was put before is seen by whoever hushes the bell.
void ShardLink::ring() {
    if (!rings_.exchange(true)) {
        const std::uint64_t one = 1;
        // Cannot fail: its counter is one, or a few if it was hushed without having rung.
        [[maybe_unused]] const ssize_t written = ::write(bell_.get(), &one, sizeof one);
    }
}

void ShardLink::hush() {
    std::uint64_t rung = 0;
    [[maybe_unused]] const ssize_t read = ::read(bell_.get(), &rung, sizeof rung);
    rings_.exchange(false);
}

// Each time another one is first, so that one that never ends does not keep the others waiting.
bool ShardLink::take(BufferPool& pool, std::vector<Packet>& batch, std::size_t most) {
    const unsigned shards = links_.size();
    Packet packet;
    const unsigned first = std::exchange(next_, (next_ + 1) % shards);
    for (unsigned i = 0; i < shards; ++i) {
        ShardBoxes* const boxes = links_.boxes((first + i) % shards, index_);
        while (boxes != nullptr && batch.size() < most && boxes->packets.take(pool, packet)) {
            ++counters_.packets_in;
            batch.push_back(std::move(packet));
        }
    }
    return batch.size() < most;
}

void ShardLink::hear_claims(Router& router, Instant now) {
    for (unsigned from = 0; from < links_.size(); ++from) {
        ShardBoxes* const boxes = links_.boxes(from, index_);
        if (boxes == nullptr || boxes->claims.empty()) {
            continue;
        }
        for (const ClaimBox::Claim& claim : boxes->claims.take()) {
            router.shard_duties().claimed(from, claim.tuple, claim.holds, now);
        }
    }
}

namespace {

// What TCP sends at once between two looks at a mailbox: the more shards, the less for each pair.
std::size_t mailbox_bytes(unsigned shards) {
    constexpr std::size_t kOfAllSenders = std::size_t{16} << 20;
    return std::max(Mailbox::kBytes, std::bit_floor(kOfAllSenders / std::max(shards - 1, 1u)));
}

}  // namespace

ShardLinks::ShardLinks(unsigned shards, std::uint32_t key) : key_(key) {
    for (unsigned index = 0; index < shards; ++index) {
        links_.push_back(std::make_unique<ShardLink>(*this, index));
    }
    for (unsigned pair = 0; pair < shards * shards; ++pair) {
        const bool itself = pair / shards == pair % shards;
        boxes_.push_back(itself ? nullptr : std::make_unique<ShardBoxes>(mailbox_bytes(shards)));
    }
}

conntrack::ShardPlace ShardLinks::place_of(unsigned index) {
    return {index, size(), key_, size() > 1 ? links_[index].get() : nullptr};
}

}  // namespace nsr::router
