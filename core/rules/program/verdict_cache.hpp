// VerdictCache: what tables said about packets of the same kind before.
//
// Theory of operation
//   Most rules ask for nothing but what the packets of one direction of a connection have in
//   common: addresses, ports, interfaces, the state of the connection, the mark. A walk through a
//   table that asked for nothing else, and did nothing but count, ends for the next such packet as
//   it ended for this one, and counts the same. Its verdict and the counters that it added to are
//   remembered under all that such rules can ask for (WalkKey); a packet with the same key is
//   counted there and has its verdict without a walk. A walk that asked for anything more (a set, a
//   limit, the time, a helper, ...) or did anything more (a mark, a target that is called) is never
//   remembered.
//   The walks of a connection have places beside each other, by its number: connections that there
//   are at one time do not have each other's, as long as there are enough, and asking for them
//   ahead is one address. A packet of none has a place by its key. A walk that is remembered takes
//   the place of another one. With many more flows than there are places hardly anything is found,
//   and each look would cost a line of memory: when few of the last packets were known, it rests
//   for a while. A packet that begins a connection cannot have been known, and is no reason to.
//   Strangers can have it rest, and never make a packet cost more than its walk and a look. It
//   belongs to one program, whose rules never change, and whose counters stay where they are. One
//   thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/zeroed_block.hpp"
#include "core/rules/action_param.hpp"
#include "core/rules/ruleset.hpp"
#include "core/rules/verdict.hpp"

namespace nsr::rules {

// Of built-in chains, one number each.
constexpr unsigned chain_number(TableId table, Hook hook) {
    return static_cast<unsigned>(table) * kHookCount + static_cast<unsigned>(hook);
}

// A connection's walks have so many places for each direction, that of a chain is one of them.
struct ChainOrder {
    std::uint8_t order = 0;
    std::uint8_t of = 1;
};

// Two packets whose keys are equal are the same to every instruction of the table but Op::Call and
// Op::IcmpType.
struct WalkKey {
    std::array<std::uint32_t, 4> source{};
    std::array<std::uint32_t, 4> destination{};
    std::uint16_t source_port = 0;
    std::uint16_t destination_port = 0;
    IfIndex in = IfIndex::None;
    IfIndex out = IfIndex::None;
    Mark mark = 0;
    std::uint8_t protocol = 0;
    std::uint8_t tcp_flags = 0;  // of those that the table asks for
    std::uint8_t state = 0;      // ctstate::k*
    std::uint8_t chain = 0;      // which of all built-in ones

    // All of it, as it is compared: put together without a detour over memory.
    using Words = std::array<std::uint64_t, 6>;
    [[nodiscard]] Words words() const {
        return {both(source[0], source[1]),
                both(source[2], source[3]),
                both(destination[0], destination[1]),
                both(destination[2], destination[3]),
                both(std::uint32_t{source_port} << 16 | destination_port,
                     std::uint32_t{raw(in)} << 16 | raw(out)),
                both(mark, std::uint32_t{protocol} << 24 | std::uint32_t{tcp_flags} << 16 |
                               std::uint32_t{state} << 8 | chain)};
    }

  private:
    static constexpr std::uint64_t both(std::uint32_t high, std::uint32_t low) {
        return std::uint64_t{high} << 32 | low;
    }
};
static_assert(sizeof(WalkKey) == sizeof(WalkKey::Words), "words() knows all of it");

// Nothing: the packet has no ports, or not all of the header that has them. `tcp_flags`: those that
// rules of the table ask for.
[[nodiscard]] std::optional<WalkKey> walk_key_of(const ActionParam& par, std::uint8_t tcp_flags);

class VerdictCache {
  public:
    static constexpr std::size_t kPlaces = 8192;  // 1 MiB
    static constexpr std::size_t kMostCounted = 4;

    VerdictCache() : block_(kPlaces * sizeof(Walk)), walks_(static_cast<Walk*>(block_.data())) {}

    [[nodiscard]] bool rests() const { return resting_ != 0 || walks_ == nullptr; }
    // False: it rests, and nothing else is to be called for the packet at hand.
    bool worth_a_look() {
        if (resting_ != 0) {
            --resting_;
            return false;
        }
        return walks_ != nullptr;
    }
    // A walk through such a chain, and where it is remembered.
    struct Sought {
        Sought(const WalkKey& of, const Meta& meta, ChainOrder chain);

        WalkKey::Words key;
        std::size_t place;
        bool begins;  // a connection
    };
    // The first `asked` of the `places` of a packet's connection will be looked at soon.
    void prefetch(const Meta& meta, std::uint8_t places, std::uint8_t asked) const;
    // The verdict on a packet like this one, which is counted; null: none is known. Valid until the
    // next call.
    const TableVerdict* repeat(const Sought& sought, std::uint32_t bytes);
    // Precondition: no more than kMostCounted are counted, and they stay where they are.
    void remember(const Sought& sought, const TableVerdict& verdict,
                  std::span<RuleCounters* const> counted);

  private:
    static constexpr std::size_t kLineBytes = 64;
    // Zeros: nothing is here yet.
    struct alignas(2 * kLineBytes) Walk {
        WalkKey::Words key;
        RuleId rule;
        TargetVerdict verdict;
        std::uint8_t counted;
        bool used;
        std::array<RuleCounters*, kMostCounted> counters;
    };
    // Packets that it could have known after which it judges itself; how many of them it must have
    // known; how many packets it rests if it did not.
    static constexpr std::uint32_t kTrial = kPlaces / 2;
    static constexpr std::uint32_t kEnough = kTrial / 3;
    static constexpr std::uint32_t kRest = 8 * kTrial;

    void judge_itself();

    ZeroedBlock block_;
    Walk* walks_;  // in the block; null: no memory
    TableVerdict verdict_;
    std::uint64_t known_ = 0;
    std::uint64_t unknown_ = 0;
    std::uint32_t resting_ = 0;
};

}  // namespace nsr::rules
