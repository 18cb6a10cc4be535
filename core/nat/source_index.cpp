#include "core/nat/source_index.hpp"

#include <utility>

namespace nsr::nat {

namespace {

constexpr std::size_t kLoad = 2;  // connections per bucket

}  // namespace

Source source_of(const conntrack::Tuple& tuple, Zone zone) {
    return {tuple.source, tuple.source_port, tuple.protocol, zone};
}

SourceIndex::SourceIndex(const conntrack::Conntrack& conntrack, SipKey key)
    : conntrack_(conntrack), key_(key), heads_(1, kEnd) {
}

void SourceIndex::insert(ConnId id) {
    if (size_ >= kLoad * heads_.size()) {
        grow();
    }
    const std::uint32_t node = take_node(id);
    std::uint32_t& head = heads_[bucket_of(hash(source_of_record(id)))];
    nodes_[node].next = std::exchange(head, node);
    ++size_;
}

void SourceIndex::erase(ConnId id) {
    std::uint32_t* link = &heads_[bucket_of(hash(source_of_record(id)))];
    while (*link != kEnd && nodes_[*link].id != id) {
        link = &nodes_[*link].next;
    }
    if (*link == kEnd) {
        return;
    }
    const std::uint32_t node = *link;
    *link = nodes_[node].next;
    nodes_[node] = {ConnId::None, free_};
    free_ = node;
    --size_;
}

std::optional<ConnId> SourceIndex::find(const Source& source, std::optional<ConnId> after) const {
    std::uint32_t node = heads_[bucket_of(hash(source))];
    if (after) {
        while (node != kEnd && nodes_[node].id != *after) {
            node = nodes_[node].next;
        }
        node = node == kEnd ? kEnd : nodes_[node].next;
    }
    for (; node != kEnd; node = nodes_[node].next) {
        if (source_of_record(nodes_[node].id) == source) {
            return nodes_[node].id;
        }
    }
    return std::nullopt;
}

std::size_t SourceIndex::bytes_in_use() const {
    return heads_.size() * sizeof(std::uint32_t) + nodes_.size() * sizeof(Node);
}

Source SourceIndex::source_of_record(ConnId id) const {
    return source_of(conntrack_.table().tuple(id, Direction::Original),
                     conntrack_.zone_of(id, Direction::Original));
}

std::uint32_t SourceIndex::hash(const Source& source) const {
    const auto& words = source.address.words;
    const std::uint64_t input[] = {
        static_cast<std::uint64_t>(words[0]) << 32 | words[1],
        static_cast<std::uint64_t>(words[2]) << 32 | words[3],
        static_cast<std::uint64_t>(source.port) << 32 |
            static_cast<std::uint64_t>(source.protocol) << 16 | source.zone,
    };
    return static_cast<std::uint32_t>(siphash13(key_, input, std::size(input)));
}

std::size_t SourceIndex::bucket_of(std::uint32_t hash) const {
    const std::size_t wide = hash & (2 * half_ - 1);
    return wide < heads_.size() ? wide : hash & (half_ - 1);
}

std::uint32_t SourceIndex::take_node(ConnId id) {
    if (free_ == kEnd) {
        nodes_.push_back({id, kEnd});
        return static_cast<std::uint32_t>(nodes_.size() - 1);
    }
    const std::uint32_t node = free_;
    free_ = nodes_[node].next;
    nodes_[node] = {id, kEnd};
    return node;
}

// Splits one bucket into itself and the new last one; both keep their order.
void SourceIndex::grow() {
    if (heads_.size() == 2 * half_) {
        half_ *= 2;
    }
    const std::size_t from = heads_.size() - half_;
    heads_.push_back(kEnd);
    std::uint32_t node = std::exchange(heads_[from], kEnd);
    std::uint32_t* ends[] = {&heads_[from], &heads_.back()};
    while (node != kEnd) {
        const bool moves = bucket_of(hash(source_of_record(nodes_[node].id))) != from;
        const std::uint32_t next = std::exchange(nodes_[node].next, kEnd);
        *ends[moves] = node;
        ends[moves] = &nodes_[node].next;
        node = next;
    }
}

}  // namespace nsr::nat
