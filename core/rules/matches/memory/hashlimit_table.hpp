// The token buckets of `hashlimit`: one for every address, port or pair of them.
// kernel: xt_hashlimit.c, struct xt_hashlimit_htable
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/instant.hpp"
#include "core/rules/action_param.hpp"
#include "core/rules/matches/memory/keyed_table.hpp"
#include "core/wire/address.hpp"

namespace nsr::rules {

// Who has a bucket: what the modes do not name is zero.
struct HashlimitKey {
    IpAddress source;
    IpAddress destination;
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    friend bool operator==(const HashlimitKey&, const HashlimitKey&) = default;
};

// kernel: struct hashlimit_cfg3
struct HashlimitConfig {
    // Distinct keys of a table. kernel: htable_create, of a machine with a gigabyte or more
    static constexpr std::uint32_t kDefaultTableSize = 8192;
    static constexpr std::uint64_t kKeysPerSlot = 8;
    static constexpr std::uint64_t kMostKeys = kKeysPerSlot * kDefaultTableSize;
    static constexpr std::uint64_t kScale = 1000000;  // kernel: XT_HASHLIMIT_SCALE_v2
    static constexpr std::uint64_t kCreditsPerJiffy = std::uint64_t{1} << 39;  // POW2_BELOW64
    static constexpr std::uint64_t kCreditsPerUnit = kJiffiesPerSecond * kCreditsPerJiffy / kScale;
    static constexpr std::uint64_t kByteCreditsPerJiffy = std::uint64_t{1} << 24;  // POW2_BELOW32
    static constexpr std::uint64_t kByteCredits = kByteCreditsPerJiffy * kJiffiesPerSecond;
    static constexpr std::uint32_t kDefaultBurst = 5;

    bool bytes = false;        // the rate is one of bytes
    std::uint64_t period = 0;  // between two packets, or the price of a chunk
    std::uint64_t burst = kDefaultBurst;
    bool by_source = false;
    bool by_destination = false;
    bool by_source_port = false;
    bool by_destination_port = false;
    IpAddress source_mask;
    IpAddress destination_mask;
    std::uint32_t expire_ms = 1000;
    std::uint64_t most_keys = kMostKeys;
    bool rate_match = false;     // the rate of the last interval counts, not a bucket of tokens
    std::uint32_t interval = 1;  // of rate_match, in seconds

    // Nothing: the ports are cut off. kernel: hashlimit_init_dst
    [[nodiscard]] std::optional<HashlimitKey> key_of(const Packet& packet) const;
    [[nodiscard]] std::uint64_t most_credit() const;  // kernel: rateinfo_init
    // Packets or bytes per second, and what one interval may hold at most.
    [[nodiscard]] std::uint64_t rate() const;
    [[nodiscard]] std::uint64_t most_per_interval() const;
};

class HashlimitTable {
  public:
    // The rule that named the table first: its rate, modes and sizes count for all that name it.
    HashlimitTable() = default;
    explicit HashlimitTable(const HashlimitConfig& config) : config_(config) {}

    enum class Answer : std::uint8_t { Within, Above, HotDrop };
    // Takes what the packet costs. HotDrop: it has no key, or the table is full.
    // kernel: hashlimit_mt_common
    [[nodiscard]] Answer charge(ActionParam& par);

  private:
    struct Bucket {
        HashlimitKey key;
        std::uint64_t credit = 0;
        std::uint64_t refills = 0;  // bytes: how often the credit may be filled up at once
        Jiffies previous = 0;
        Jiffies expires = 0;
        std::uint64_t counted = 0;  // rate_match: in the interval that began at `previous`
        bool was_above = false;     // in the one before it
    };

    void sweep(Jiffies now);
    void fill(Bucket& bucket, bool fresh, Jiffies now) const;
    void tell_full(ActionParam& par);
    [[nodiscard]] std::uint64_t price(Bucket& bucket, std::uint32_t length) const;
    [[nodiscard]] Answer compare(Bucket& bucket, bool fresh, std::uint32_t length,
                                 Jiffies now) const;

    HashlimitConfig config_;
    KeyedTable<Bucket> buckets_;
    Place next_to_sweep_ = 0;
    std::optional<Jiffies> told_full_;
};

}  // namespace nsr::rules
