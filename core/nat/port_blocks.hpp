// PortBlocks: the ports of outside addresses in blocks, each one a host's alone. RFC 6888 REQ-14
//
// A host keeps a block as long as a mapping is in it, one for each address that it is mapped to.
// The blocks of a rule on an address are a row: bits say which are given away, so that a row with
// nothing left costs 64 words at most. Rows of several rules may divide the same ports differently;
// what is given away in one is not given away in another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "core/base/siphash.hpp"
#include "core/nat/port_allocator.hpp"
#include "core/nat/source_index.hpp"
#include "core/wire/address.hpp"

namespace nsr::nat {

// Whose block it is, and of which row.
struct BlockKey {
    Host host;
    IpAddress outside;
    PortSpan ports;          // of the rule
    std::uint16_t size = 0;  // of a block, at least kLeastBlock
    friend bool operator==(const BlockKey&, const BlockKey&) = default;
};

class PortBlocks {
  public:
    explicit PortBlocks(SipKey key) : given_(0, Hash{key}), rows_(0, Hash{key}) {}

    // The block that the host has, or has from now on; nothing: all are given away.
    std::optional<PortSpan> block_of(const BlockKey& key);
    // A mapping is in it; is not any more. Precondition: block_of(), join() before.
    void join(const BlockKey& key);
    void leave(const BlockKey& key);
    // It is given back, if there is one and no mapping is in it.
    void drop_unused(const BlockKey& key);

    [[nodiscard]] std::size_t size() const { return given_.size(); }

  private:
    struct Block {
        PortSpan ports;
        std::uint32_t mappings = 0;
    };
    struct Row {
        PortSpan ports;
        std::uint16_t size = 0;
        std::uint32_t taken = 0;
        std::vector<std::uint64_t> bits;

        [[nodiscard]] std::uint32_t blocks() const { return ports.size / size; }
        [[nodiscard]] PortSpan block(std::uint32_t index) const {
            return {ports.min + index * size, size};
        }
        [[nodiscard]] bool has(std::uint32_t index) const;
        [[nodiscard]] std::uint32_t next_free(std::uint32_t from) const;  // blocks(): there is none
        [[nodiscard]] bool overlaps(const PortSpan& block) const;
    };
    using Rows = std::vector<Row>;  // of an address: as many as rules divide it differently
    struct Hash {
        SipKey key;
        std::size_t operator()(const BlockKey& block) const;
        std::size_t operator()(const IpAddress& address) const;
    };
    static Row& row_of(Rows& rows, const BlockKey& key);
    void drop_empty_rows(const IpAddress& outside);

    std::unordered_map<BlockKey, Block, Hash> given_;
    std::unordered_map<IpAddress, Rows, Hash> rows_;
};

}  // namespace nsr::nat
