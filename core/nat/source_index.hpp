// SourceIndex: the translated connections of a source, newest first.
//
// Linear hashing with chains: the table grows by one bucket per few insertions, so growing never
// stalls. A node is eight bytes; the source itself is read from the connection's record. The hash
// is keyed: sources come from packets.
// kernel: nf_nat_bysource
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "core/base/siphash.hpp"
#include "core/conntrack/conntrack.hpp"

namespace nsr::nat {

// kernel: what same_src and hash_by_src look at
struct Source {
    IpAddress address;
    std::uint16_t port = 0;
    std::uint8_t protocol = 0;
    Zone zone = 0;
    friend bool operator==(const Source&, const Source&) = default;
};

Source source_of(const conntrack::Tuple& tuple, Zone zone);

class SourceIndex {
  public:
    SourceIndex(const conntrack::Conntrack& conntrack, SipKey key);

    // Precondition: not in the index.
    void insert(ConnId id);
    // No-op if it is not in the index. The record must still be readable.
    void erase(ConnId id);
    // The newest connection of `source`, or the next older one than `after`.
    [[nodiscard]] std::optional<ConnId> find(const Source& source,
                                             std::optional<ConnId> after = std::nullopt) const;
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t bytes_in_use() const;

  private:
    static constexpr std::uint32_t kEnd = 0xffffffff;
    struct Node {
        ConnId id = ConnId::None;
        std::uint32_t next = kEnd;
    };

    [[nodiscard]] Source source_of_record(ConnId id) const;
    [[nodiscard]] std::uint32_t hash(const Source& source) const;
    [[nodiscard]] std::size_t bucket_of(std::uint32_t hash) const;
    std::uint32_t take_node(ConnId id);
    void grow();

    const conntrack::Conntrack& conntrack_;
    SipKey key_;
    std::deque<std::uint32_t> heads_;
    std::size_t half_ = 1;  // the largest power of two that is at most heads_.size()
    std::deque<Node> nodes_;
    std::uint32_t free_ = kEnd;
    std::size_t size_ = 0;
};

}  // namespace nsr::nat
