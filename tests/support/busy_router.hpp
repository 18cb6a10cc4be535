// What production runs: batches of packets of established flows through the whole router, from the
// bytes that a device gave to the bytes that a device takes, with a masquerading rule and twenty
// filter rules of which the last lets the packet through. Flows are visited in a random order, half
// of the packets are answers (busy_flows.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/conntrack/table/memory.hpp"
#include "core/pipeline/router.hpp"
#include "tests/support/busy_flows.hpp"

namespace nsr::bench {

inline constexpr std::size_t kBatch = 32;
inline constexpr IfIndex kLan{1};
inline constexpr IfIndex kWan{2};

// Of iptables-save: masquerading, and `refusals` rules that the flows do not meet before the one
// that accepts them.
std::string busy_rules(unsigned refusals = 19);

// The shard that flow `number` belongs to, if it is not translated.
unsigned home_of(std::uint32_t number, const conntrack::ShardPlace& place);

// 0, 1, ... in a random order.
std::vector<std::uint32_t> shuffled(std::uint32_t count);

// Of a table that is three quarters full with `flows`: one that is full would grow with the next
// flow, which is then what a benchmark of new ones measures.
constexpr std::uint32_t buckets_for(std::uint32_t flows) {
    return std::max(flows / 3, 1u);
}

struct BusyLoad {
    std::uint32_t flows = 1000;
    FlowKind kind;
    std::string rules = busy_rules();
    std::unique_ptr<conntrack::Memory> memory;  // null: anonymous
    conntrack::ShardPlace shard = {};  // of several: has the flows whose home it is, not translated
};

struct BusyRouter {
    explicit BusyRouter(BusyLoad load);

    // Did all packets leave that established the flows?
    [[nodiscard]] bool all_established() const { return all_established_; }
    // The next batch of the flows, through the router. Out of line: a profile begins and ends here.
    void pass_batch();
    // Only makes them; they stay in `batch`.
    void make_batch();
    void add(const Frame& frame);
    // A batch of the first packets of flows that there are not.
    void open_batch();
    void pass();

    void load_rules(const std::string& text);
    // Packets of flows that are established end at a rule, too.
    void refuse_all() { load_rules("*filter\n-A FORWARD -j DROP\nCOMMIT\n"); }

    FlowKind kind;
    BufferPool pool;
    Router router;
    Instant now{std::chrono::seconds(1000)};
    std::size_t batch_size = kBatch;
    std::vector<Packet> batch;
    EgressQueue egress;
    std::size_t left = 0;  // packets that did

  private:
    void add_interface(const char* name, const char* address);
    void establish();

    std::vector<std::uint32_t> order_;
    std::size_t at_ = 0;
    std::uint32_t round_ = 0;
    std::uint32_t newcomer_;
    bool all_established_ = false;
};

}  // namespace nsr::bench
