// SourceIndex: the translated connections of a source, newest first.
//
// Linear hashing with chains: the table grows by one bucket per few insertions. A node is eight
// bytes, has its connection's number and knows both of its neighbours, so that leaving a chain
// costs the same however long it is: a busy client is one chain. The source itself is read from the
// connection's record. The hash is keyed: sources come from packets.
// kernel: nf_nat_bysource
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

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

// Networks in different zones may have the same addresses.
struct Host {
    IpAddress address;
    Zone zone = 0;
    friend bool operator==(const Host&, const Host&) = default;
};

inline Host host_of(const Source& source) {
    return {source.address, source.zone};
}

class SourceIndex {
  public:
    SourceIndex(const conntrack::Conntrack& conntrack, SipKey key);

    // Precondition: not in the index.
    void insert(ConnId id);
    // No-op if it is not in the index. The record must still be readable.
    void erase(ConnId id);
    [[nodiscard]] bool contains(ConnId id) const;
    // The newest connection of `source`.
    [[nodiscard]] std::optional<ConnId> find(const Source& source) const {
        return find_if(source, [](ConnId) { return true; });
    }
    // The newest one of `source` that `wanted` says yes to; it is asked about each once.
    template <class Wanted>
    [[nodiscard]] std::optional<ConnId> find_if(const Source& source, Wanted&& wanted) const {
        for (ConnId id = heads_[bucket_of(hash(source))]; id != kEnd; id = node(id).next) {
            if (source_of_record(id) == source && wanted(id)) {
                return id;
            }
        }
        return std::nullopt;
    }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t bytes_in_use() const;

  private:
    static constexpr ConnId kEnd = ConnId::None;
    static constexpr ConnId kAbsent = ConnId{0xfffffffe};
    static constexpr std::size_t kNodesPerPage = 512;
    struct Node {
        ConnId next = kEnd;
        ConnId previous = kAbsent;  // kEnd: the first of its chain; kAbsent: not in the index
    };
    using Page = std::array<Node, kNodesPerPage>;

    [[nodiscard]] const Node& node(ConnId id) const {
        return (*pages_[raw(id) / kNodesPerPage])[raw(id) % kNodesPerPage];
    }
    [[nodiscard]] Node& node(ConnId id) {
        return (*pages_[raw(id) / kNodesPerPage])[raw(id) % kNodesPerPage];
    }
    [[nodiscard]] Source source_of_record(ConnId id) const;
    [[nodiscard]] std::uint32_t hash(const Source& source) const;
    [[nodiscard]] std::size_t bucket_of(std::uint32_t hash) const;
    void need_page(ConnId id);
    void push_front(ConnId& head, ConnId id);
    void grow();

    const conntrack::Conntrack& conntrack_;
    SipKey key_;
    std::deque<ConnId> heads_;
    std::size_t half_ = 1;  // the largest power of two that is at most heads_.size()
    std::vector<std::unique_ptr<Page>> pages_;  // by number of connection; null where none was
    std::size_t page_count_ = 0;
    std::size_t size_ = 0;
};

}  // namespace nsr::nat
