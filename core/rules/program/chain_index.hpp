// ChainIndex: which blocks of a long chain may have a rule for a packet, by one look for each shape
// that their rules have. What it leaves out, the indexes of the blocks would leave out, too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/rules/program/index.hpp"

namespace nsr::rules {

class ChainIndex {
  public:
    ChainIndex() = default;  // of a chain so short that all blocks are looked at
    explicit ChainIndex(const std::vector<const BlockIndex*>& blocks);

    [[nodiscard]] bool helps() const { return blocks_ != 0; }
    // A bit for each group of neighbouring blocks.
    using Groups = std::uint64_t;
    // Precondition: `held` is known for each side that is asked. Adds to `looks` how many it took
    // among sets.
    [[nodiscard]] Groups find(const PacketKey& key, const HeldBySets& held,
                              std::size_t& looks) const;
    // The first block from `block` on that is in one of `groups`, or their number.
    [[nodiscard]] std::size_t next(Groups groups, std::size_t block) const {
        while (block < blocks_ && (groups >> (block / group_) & 1) == 0) {
            ++block;
        }
        return block;
    }

    struct SetTable {
        std::vector<std::uint32_t> names;  // hashes of the names of sets, ascending
        std::vector<Groups> groups;        // of each
    };
    // Of sets of source addresses, of destination addresses.
    [[nodiscard]] const std::array<SetTable, 2>& sets() const { return sets_; }

  private:
    struct Table {
        Shape shape;
        std::size_t rules = 0;
        std::vector<Groups> groups;  // by the end of the hash
    };

    void add_tables(const BlockIndex& block, Groups bit);
    void add_ranges(const BlockIndex& block, Groups bit);
    void add_sets(const std::vector<const BlockIndex*>& blocks);
    Table* table_of(const Shape& shape);

    std::size_t blocks_ = 0;
    std::size_t group_ = 1;  // blocks in a group
    Groups always_ = 0;
    std::vector<Table> tables_;
    std::array<std::vector<Groups>, 2> ranges_;  // by source port, by destination port
    std::array<SetTable, 2> sets_;
};

}  // namespace nsr::rules
