// Shards of one router in a test, without threads: what they hand over lies in one queue and is
// delivered before the next packet comes. lan 10.0.0.1/24 and wan 192.0.2.1/24 with a default
// route, as in a World.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/pipeline/router.hpp"
#include "tests/support/packet_builder.hpp"

namespace nsr::test {

class Shards {
  public:
    // IPv4 rules in iptables-save form.
    Shards(unsigned count, std::string_view rules);

    static constexpr IfIndex kLan{1};
    static constexpr IfIndex kWan{2};

    // A packet comes to shard `at`. What left because of it, and through which shard.
    struct Left {
        unsigned shard = 0;
        IfIndex out = IfIndex::None;
        Packet packet;
    };
    std::vector<Left> give(unsigned at, IfIndex in, const PacketBuilder& packet);
    // The same, but that an interface goes in all shards between the packet and its arrival there.
    std::vector<Left> give_and_lose(unsigned at, IfIndex in, const PacketBuilder& packet);
    void after(Duration time);
    void forget_all();  // conntrack -F

    [[nodiscard]] Router& router(unsigned index) { return *shards_[index]->router; }
    [[nodiscard]] unsigned size() const { return static_cast<unsigned>(shards_.size()); }
    // Of all shards.
    [[nodiscard]] std::size_t entries() const;
    [[nodiscard]] std::size_t claims() const;
    [[nodiscard]] std::uint64_t dropped(DropReason reason) const;
    [[nodiscard]] std::uint64_t handed_over() const { return handed_over_; }
    // From now on nothing that is handed over finds room.
    void fill_mailboxes() { full_ = true; }

  private:
    struct One : conntrack::Neighbours {
        One(Shards& all, unsigned index) : crew(all), number(index) {}
        bool hand_over(unsigned shard, const Packet& packet) override;
        void claim(unsigned shard, const conntrack::Tuple& tuple, bool holds) override;

        Shards& crew;
        unsigned number;
        std::unique_ptr<Router> router;
    };

    void receive(unsigned at, Packet packet, std::vector<Left>& left);
    std::vector<Left> settle();

    BufferPool pool_;
    std::vector<std::unique_ptr<One>> shards_;
    std::deque<std::function<void(std::vector<Left>&)>> mail_;
    std::uint64_t handed_over_ = 0;
    bool full_ = false;
    IfIndex goes_ = IfIndex::None;  // with the next thing that is handed over
    Instant now_{std::chrono::seconds(1000)};
};

}  // namespace nsr::test
