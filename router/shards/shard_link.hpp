// ShardLink: one shard's door to the others.
//
// Theory of operation
//   Between each two shards lie, for each way, a mailbox for packets and a box for claims. Whoever
//   puts something there rings the other one's bell, an eventfd, unless it rings already: a shard
//   that is busy is rung for once until it comes to look. Packets that find no room are lost, as
//   are those that a device has no room for. Claims are heard before packets are dealt with that
//   were read, from wherever, before: an answer cannot come sooner than the claim to it, which was
//   made before what it answers left. A link is used by the thread of its shard alone; what it
//   shares with others is the boxes and the bells.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/conntrack/shard.hpp"
#include "core/pipeline/router.hpp"
#include "netlink/descriptor.hpp"
#include "router/shards/claim_box.hpp"
#include "router/shards/mailbox.hpp"

namespace nsr::router {

class ShardLinks;

// From one shard to another.
struct ShardBoxes {
    explicit ShardBoxes(std::size_t bytes) : packets(bytes) {}

    Mailbox packets;
    ClaimBox claims;
};

class ShardLink final : public conntrack::Neighbours {
  public:
    struct Counters {
        std::uint64_t packets_out = 0;  // that were of other shards
        std::uint64_t packets_in = 0;
        std::uint64_t lost = 0;  // of packets_out, for lack of room
        std::uint64_t claims_out = 0;
    };

    ShardLink(ShardLinks& links, unsigned index);  // throws SystemError

    bool hand_over(unsigned shard, const Packet& packet) override;
    void claim(unsigned shard, const conntrack::Tuple& tuple, bool holds) override;

    // Readable when something has come since hush().
    [[nodiscard]] int bell() const { return bell_.get(); }
    void hush();
    // Packets go to the end of `batch`, `most` at most. True: that was all.
    bool take(BufferPool& pool, std::vector<Packet>& batch, std::size_t most);
    // Tells `router` what others claim by now.
    void hear_claims(Router& router, Instant now);

    [[nodiscard]] const Counters& counters() const { return counters_; }

  private:
    void ring();

    ShardLinks& links_;
    unsigned index_;
    netlink::Descriptor bell_;
    unsigned next_ = 0;  // whose packets are looked at first
    Counters counters_;
    alignas(kCacheLineBytes) std::atomic<bool> rings_ = false;  // written by all
};

// Those of all shards of a router. Outlives their cores.
class ShardLinks {
  public:
    ShardLinks(unsigned shards, std::uint32_t key);  // throws SystemError
    ShardLinks(const ShardLinks&) = delete;
    ShardLinks& operator=(const ShardLinks&) = delete;

    [[nodiscard]] unsigned size() const { return static_cast<unsigned>(links_.size()); }
    [[nodiscard]] ShardLink& of(unsigned index) { return *links_[index]; }
    [[nodiscard]] const ShardLink& of(unsigned index) const { return *links_[index]; }
    // For the options of the core of that shard.
    [[nodiscard]] conntrack::ShardPlace place_of(unsigned index);

  private:
    friend class ShardLink;
    // Null: from a shard to itself.
    ShardBoxes* boxes(unsigned from, unsigned to) { return boxes_[from * size() + to].get(); }

    std::uint32_t key_;
    std::vector<std::unique_ptr<ShardLink>> links_;
    std::vector<std::unique_ptr<ShardBoxes>> boxes_;  // by sender and receiver
};

}  // namespace nsr::router
