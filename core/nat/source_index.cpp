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
    need_page(id);
    push_front(heads_[bucket_of(hash(source_of_record(id)))], id);
    ++size_;
}

void SourceIndex::erase(ConnId id) {
    if (!contains(id)) {
        return;
    }
    const Node gone = std::exchange(node(id), Node{});
    if (gone.next != kEnd) {
        node(gone.next).previous = gone.previous;
    }
    if (gone.previous != kEnd) {
        node(gone.previous).next = gone.next;
    } else {
        heads_[bucket_of(hash(source_of_record(id)))] = gone.next;
    }
    --size_;
}

std::size_t SourceIndex::bytes_in_use() const {
    return heads_.size() * sizeof(ConnId) + pages_.size() * sizeof(pages_[0]) +
           page_count_ * sizeof(Page);
}

bool SourceIndex::contains(ConnId id) const {
    const std::size_t page = raw(id) / kNodesPerPage;
    return page < pages_.size() && pages_[page] && node(id).previous != kAbsent;
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

void SourceIndex::need_page(ConnId id) {
    const std::size_t page = raw(id) / kNodesPerPage;
    if (page >= pages_.size()) {
        pages_.resize(page + 1);
    }
    if (!pages_[page]) {
        pages_[page] = std::make_unique<Page>();
        ++page_count_;
    }
}

void SourceIndex::push_front(ConnId& head, ConnId id) {
    if (head != kEnd) {
        node(head).previous = id;
    }
    node(id) = {std::exchange(head, id), kEnd};
}

// Splits one bucket into itself and the new last one; both keep their order.
void SourceIndex::grow() {
    if (heads_.size() == 2 * half_) {
        half_ *= 2;
    }
    const std::size_t from = heads_.size() - half_;
    heads_.push_back(kEnd);
    ConnId id = std::exchange(heads_[from], kEnd);
    ConnId* const heads[] = {&heads_[from], &heads_.back()};
    ConnId lasts[] = {kEnd, kEnd};
    while (id != kEnd) {
        const bool moves = bucket_of(hash(source_of_record(id))) != from;
        const ConnId following = node(id).next;
        node(id) = {kEnd, lasts[moves]};
        (lasts[moves] == kEnd ? *heads[moves] : node(lasts[moves]).next) = id;
        lasts[moves] = id;
        id = following;
    }
}

}  // namespace nsr::nat
