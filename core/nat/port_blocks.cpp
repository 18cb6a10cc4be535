#include "core/nat/port_blocks.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "core/base/check.hpp"
#include "core/wire/address_words.hpp"

namespace nsr::nat {

namespace {

constexpr std::uint32_t kBits = 64;

}  // namespace

std::size_t PortBlocks::Hash::operator()(const BlockKey& block) const {
    const std::array<std::uint64_t, 5> words = {
        high(block.host.address), low(block.host.address), high(block.outside), low(block.outside),
        std::uint64_t{block.host.zone} << 48 | std::uint64_t{block.size} << 32 |
            std::uint64_t{block.ports.min}};
    return siphash13(key, words.data(), words.size());
}

std::size_t PortBlocks::Hash::operator()(const IpAddress& address) const {
    const std::array<std::uint64_t, 2> words = {high(address), low(address)};
    return siphash13(key, words.data(), words.size());
}

std::optional<PortSpan> PortBlocks::block_of(const BlockKey& key) {
    if (const auto known = given_.find(key); known != given_.end()) {
        return known->second.ports;
    }
    Rows& rows = rows_[key.outside];
    Row& row = row_of(rows, key);
    for (auto i = row.next_free(0); i < row.blocks(); i = row.next_free(i + 1)) {
        const PortSpan block = row.block(i);
        const bool free = std::none_of(rows.begin(), rows.end(),
                                       [&](const Row& other) { return other.overlaps(block); });
        if (free) {
            row.bits[i / kBits] |= std::uint64_t{1} << i % kBits;
            ++row.taken;
            given_.emplace(key, Block{block});
            return block;
        }
    }
    drop_empty_rows(key.outside);
    return std::nullopt;
}

void PortBlocks::join(const BlockKey& key) {
    const auto found = given_.find(key);
    NSR_CHECK(found != given_.end());
    ++found->second.mappings;
}

void PortBlocks::leave(const BlockKey& key) {
    const auto found = given_.find(key);
    NSR_CHECK(found != given_.end() && found->second.mappings != 0);
    --found->second.mappings;
    drop_unused(key);
}

void PortBlocks::drop_unused(const BlockKey& key) {
    const auto found = given_.find(key);
    if (found == given_.end() || found->second.mappings != 0) {
        return;
    }
    Rows& rows = rows_[key.outside];
    Row& row = row_of(rows, key);
    const std::uint32_t index = (found->second.ports.min - row.ports.min) / row.size;
    row.bits[index / kBits] &= ~(std::uint64_t{1} << index % kBits);
    --row.taken;
    given_.erase(found);
    drop_empty_rows(key.outside);
}

void PortBlocks::drop_empty_rows(const IpAddress& outside) {
    const auto rows = rows_.find(outside);
    std::erase_if(rows->second, [](const Row& row) { return row.taken == 0; });
    if (rows->second.empty()) {
        rows_.erase(rows);
    }
}

PortBlocks::Row& PortBlocks::row_of(Rows& rows, const BlockKey& key) {
    const auto found = std::find_if(rows.begin(), rows.end(), [&](const Row& row) {
        return row.ports == key.ports && row.size == key.size;
    });
    if (found != rows.end()) {
        return *found;
    }
    Row& row = rows.emplace_back(Row{key.ports, key.size, 0, {}});
    row.bits.resize(row.blocks() / kBits + 1);
    return row;
}

bool PortBlocks::Row::has(std::uint32_t index) const {
    return (bits[index / kBits] >> index % kBits & 1) != 0;
}

std::uint32_t PortBlocks::Row::next_free(std::uint32_t from) const {
    for (std::uint32_t index = from; index < blocks(); index = (index / kBits + 1) * kBits) {
        const std::uint64_t free = ~bits[index / kBits] & (~std::uint64_t{0} << index % kBits);
        if (free != 0) {
            const auto bit = static_cast<std::uint32_t>(std::countr_zero(free));
            return std::min(index / kBits * kBits + bit, blocks());
        }
    }
    return blocks();
}

// Is one of the ports given away in this row?
bool PortBlocks::Row::overlaps(const PortSpan& block) const {
    const std::uint32_t begin = std::max(block.min, ports.min);
    const std::uint32_t end = std::min(block.min + block.size, ports.min + blocks() * size);
    for (std::uint32_t port = begin; port < end;
         port = this->block((port - ports.min) / size + 1).min) {
        if (has((port - ports.min) / size)) {
            return true;
        }
    }
    return false;
}

}  // namespace nsr::nat
