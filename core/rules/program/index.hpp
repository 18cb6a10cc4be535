// Index: which rules of a block a packet may match, found without trying them all.
//
// Theory of operation
//   A rule that asks for an address or a network, an interface by its name, a protocol or a port is
//   put where only packets find it that have these: rules of one Shape into one hash table, rules
//   with ranges of ports into rows of the borders between ranges. All other rules, and those whose
//   shape would be one too many, are tried for every packet. A rule that asks an address set is
//   found if that set may hold the packet's address, which the sets know together (sets::Holders);
//   one that is left out would have found no element, and so have counted nothing in the set. In a
//   walk that makes a set hold more, the rules behind are tried one by one: see Traversal.
//   What is found is tried as if there
//   were no index, and in the order of the block, so a rule too many costs time and changes
//   nothing. A rule too few is never left out: only conditions count that are asked before anything
//   that has an effect (a call), or that could drop the packet for a header cut short; packets for
//   which that is so are irregular (PacketKey), and walk all rules.
//   Bounds: kMostShapes looks per block and packet, one for each set that rules of the block ask
//   first, memory proportional to the rules.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/rules/program/compiled_rule.hpp"
#include "core/rules/program/key.hpp"

namespace nsr::rules {

class BlockIndex {
  public:
    static constexpr std::size_t kMostShapes = 16;
    // Blocks that are shorter are faster without.
    static constexpr std::size_t kFewRules = 8;

    BlockIndex() = default;
    BlockIndex(const Code& code, std::span<const CompiledRule> rules);

    // Else all rules are to be tried.
    [[nodiscard]] bool helps() const { return helps_; }

    // Rows of rules that may match, each list in the order of the block.
    using Rows = std::span<const std::uint16_t>;
    static constexpr std::size_t kMostLists = kMostShapes + 4;  // the last one by sets
    // Returns how many lists there are; none is empty. A row may be in several.
    std::size_t find(const PacketKey& key, std::array<Rows, kMostLists>& lists) const;
    [[nodiscard]] bool asks_sets() const {
        return !sets_[0].names.empty() || !sets_[1].names.empty();
    }
    // Replaces `rows` by those of rules whose set may hold the packet, in their order. Returns how
    // much it took, in looks. Precondition: `held` is known for each side that is asked.
    std::size_t find_by_sets(const HeldBySets& held, std::vector<std::uint16_t>& rows) const;

    // Lists in one row: list i is rows [starts[i], starts[i + 1]).
    struct Lists {
        std::vector<std::uint32_t> starts;
        std::vector<std::uint16_t> rows;
        [[nodiscard]] Rows operator[](std::size_t at) const {
            return Rows(rows).subspan(starts[at], starts[at + 1] - starts[at]);
        }
    };
    struct HashTable {
        Shape shape;
        std::uint32_t mask = 0;
        Lists lists;                        // by hash & mask
        std::vector<std::uint32_t> hashes;  // of all its rules
    };
    struct RangeTable {
        std::vector<std::uint32_t> borders;  // where ports begin that are in other ranges
        Lists lists;                         // of the ports from each border to the next
    };
    struct SetTable {
        std::vector<std::uint32_t> names;  // hashes of the names of sets, ascending
        Lists lists;                       // of rules that ask each
    };
    [[nodiscard]] std::span<const HashTable> tables() const { return tables_; }
    // Of source ports, of destination ports.
    [[nodiscard]] const std::array<RangeTable, 2>& ranges() const { return ranges_; }
    // Of sets of source addresses, of destination addresses.
    [[nodiscard]] const std::array<SetTable, 2>& sets() const { return sets_; }
    [[nodiscard]] Rows always() const { return always_; }

  private:
    class Builder;

    bool helps_ = false;
    std::vector<HashTable> tables_;
    std::array<RangeTable, 2> ranges_;
    std::array<SetTable, 2> sets_;
    std::vector<std::uint16_t> always_;
};

}  // namespace nsr::rules
