#include "core/rules/program/chain_index.hpp"

#include <algorithm>
#include <bit>
#include <map>

namespace nsr::rules {

namespace {

constexpr std::size_t kGroups = 64;
constexpr std::uint32_t kPortsPerEntry = 16;
constexpr std::uint32_t kPortEntries = 65536 / kPortsPerEntry;

}  // namespace

ChainIndex::ChainIndex(const std::vector<const BlockIndex*>& blocks) {
    if (blocks.size() < 2) {
        return;
    }
    blocks_ = blocks.size();
    group_ = (blocks.size() + kGroups - 1) / kGroups;
    // How large tables have to be is known once all blocks have been seen.
    for (const BlockIndex* block : blocks) {
        for (const BlockIndex::HashTable& table : block->tables()) {
            if (Table* whole = table_of(table.shape)) {
                whole->rules += table.hashes.size();
            }
        }
    }
    for (Table& table : tables_) {
        table.groups.resize(std::bit_ceil(table.rules * 2));
    }
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const Groups bit = Groups{1} << (i / group_);
        if (!blocks[i]->helps() || !blocks[i]->always().empty()) {
            always_ |= bit;
        } else {
            add_tables(*blocks[i], bit);
            add_ranges(*blocks[i], bit);
        }
    }
    add_sets(blocks);
}

// Null: there would be too many.
ChainIndex::Table* ChainIndex::table_of(const Shape& shape) {
    const auto known = std::find_if(tables_.begin(), tables_.end(),
                                    [&](const Table& table) { return table.shape == shape; });
    if (known != tables_.end()) {
        return &*known;
    }
    return tables_.size() < BlockIndex::kMostShapes ? &tables_.emplace_back(Table{.shape = shape})
                                                    : nullptr;
}

void ChainIndex::add_tables(const BlockIndex& block, Groups bit) {
    for (const BlockIndex::HashTable& table : block.tables()) {
        Table* whole = table_of(table.shape);
        if (whole == nullptr) {
            always_ |= bit;
            return;
        }
        for (const std::uint32_t hash : table.hashes) {
            whole->groups[hash & (whole->groups.size() - 1)] |= bit;
        }
    }
}

void ChainIndex::add_ranges(const BlockIndex& block, Groups bit) {
    for (std::size_t i = 0; i < ranges_.size(); ++i) {
        const BlockIndex::RangeTable& table = block.ranges()[i];
        for (std::size_t list = 0; list < table.borders.size(); ++list) {
            if (table.lists[list].empty()) {
                continue;
            }
            ranges_[i].resize(kPortEntries);
            const bool last = list + 1 == table.borders.size();
            const std::uint32_t end = last ? 65536 : table.borders[list + 1];
            for (std::uint32_t entry = table.borders[list] / kPortsPerEntry;
                 entry * kPortsPerEntry < end; ++entry) {
                ranges_[i][entry] |= bit;
            }
        }
    }
}

// Those of blocks that are looked at anyway say nothing.
void ChainIndex::add_sets(const std::vector<const BlockIndex*>& blocks) {
    for (std::size_t side = 0; side < sets_.size(); ++side) {
        std::map<std::uint32_t, Groups> found;
        for (std::size_t i = 0; i < blocks.size(); ++i) {
            const Groups bit = Groups{1} << (i / group_);
            for (const std::uint32_t name : blocks[i]->sets()[side].names) {
                found[name] |= bit & ~always_;
            }
        }
        for (const auto& [name, groups] : found) {
            if (groups != 0) {
                sets_[side].names.push_back(name);
                sets_[side].groups.push_back(groups);
            }
        }
    }
}

ChainIndex::Groups ChainIndex::find(const PacketKey& key, const HeldBySets& held,
                                    std::size_t& looks) const {
    Groups found = always_;
    for (const Table& table : tables_) {
        if (key.has_ports || !table.shape.has(Shape::kPorts)) {
            found |= table.groups[hash_of(table.shape, key.fields) & (table.groups.size() - 1)];
        }
    }
    const std::array<std::uint16_t, 2> ports = {key.fields.source_port,
                                                key.fields.destination_port};
    for (std::size_t i = 0; key.has_ports && i < ranges_.size(); ++i) {
        found |= ranges_[i].empty() ? 0 : ranges_[i][ports[i] / kPortsPerEntry];
    }
    for (std::size_t side = 0; side < sets_.size(); ++side) {
        if (!sets_[side].names.empty()) {
            looks += each_held(sets_[side].names, held[side],
                               [&](std::size_t at) { found |= sets_[side].groups[at]; });
        }
    }
    return found;
}

}  // namespace nsr::rules
