// KeyedTable: a hash table for what rules remember of addresses, that no packet has to wait for.
//
// Theory of operation
//   Linear hashing: an entry that is added splits one bucket at most, so that the table grows with
//   its entries and never moves them all at once. Entries keep their place, a number, until they
//   are removed; a place that is free again is used before a new one. Memory comes in chunks and is
//   kept: in steady state nothing is allocated. The hash is the caller's and has to be keyed. A
//   value that is removed is not destroyed but found again, as it was, by the next one that gets
//   its place. Entries of one bucket are found in the order in which they came.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nsr::rules {

using Place = std::uint32_t;
inline constexpr Place kNoPlace = 0xffffffff;

// A vector that grows without moving what it holds.
template <class T>
class Chunks {
  public:
    [[nodiscard]] std::size_t size() const { return size_; }
    T& operator[](std::size_t at) { return chunks_[at / kChunk][at % kChunk]; }
    const T& operator[](std::size_t at) const { return chunks_[at / kChunk][at % kChunk]; }
    T& grow(const T& value = {}) {
        if (size_ == chunks_.size() * kChunk) {
            chunks_.emplace_back(kChunk);
        }
        T& added = (*this)[size_++];
        added = value;
        return added;
    }

  private:
    static constexpr std::size_t kChunk = 64;
    std::vector<std::vector<T>> chunks_;
    std::size_t size_ = 0;
};

template <class Value>
class KeyedTable {
  public:
    KeyedTable() { buckets_.grow(kNoPlace); }

    [[nodiscard]] std::size_t size() const { return size_; }
    // All entries stand at places below this.
    [[nodiscard]] std::size_t places() const { return nodes_.size(); }
    [[nodiscard]] bool used(Place place) const { return nodes_[place].used; }
    Value& operator[](Place place) { return nodes_[place].value; }

    // The first entry of this hash that `fits`; kNoPlace: none.
    template <class Fits>
    [[nodiscard]] Place find(std::uint32_t hash, Fits fits) const {
        for (Place at = buckets_[bucket_of(hash)]; at != kNoPlace; at = nodes_[at].next) {
            if (nodes_[at].hash == hash && fits(nodes_[at].value)) {
                return at;
            }
        }
        return kNoPlace;
    }
    Place add(std::uint32_t hash) {
        if (++size_ > buckets_.size()) {
            split();
        }
        Place place = free_;
        if (place == kNoPlace) {
            place = static_cast<Place>(nodes_.size());
            nodes_.grow();
        } else {
            free_ = nodes_[place].next;
        }
        Node& node = nodes_[place];
        node.hash = hash;
        node.used = true;
        link(place);
        return place;
    }
    void remove(Place place) {
        Place* at = &buckets_[bucket_of(nodes_[place].hash)];
        while (*at != place) {
            at = &nodes_[*at].next;
        }
        *at = nodes_[place].next;
        nodes_[place].next = free_;
        nodes_[place].used = false;
        free_ = place;
        --size_;
    }

  private:
    struct Node {
        std::uint32_t hash = 0;
        Place next = kNoPlace;  // in the bucket, or among the free ones
        bool used = false;
        Value value{};
    };

    [[nodiscard]] std::size_t bucket_of(std::uint32_t hash) const {
        const std::size_t mask = std::bit_ceil(buckets_.size()) - 1;
        const std::size_t bucket = hash & mask;
        return bucket < buckets_.size() ? bucket : hash & (mask >> 1);
    }
    void link(Place place) {
        Place* at = &buckets_[bucket_of(nodes_[place].hash)];
        while (*at != kNoPlace) {
            at = &nodes_[*at].next;
        }
        nodes_[place].next = kNoPlace;
        *at = place;
    }
    // One more bucket; what belongs into it comes from the one that stood for it so far.
    void split() {
        const std::size_t from = buckets_.size() - std::bit_floor(buckets_.size());
        buckets_.grow(kNoPlace);
        Place at = buckets_[from];
        buckets_[from] = kNoPlace;
        while (at != kNoPlace) {
            const Place next = nodes_[at].next;
            link(at);
            at = next;
        }
    }

    Chunks<Place> buckets_;  // the first of each
    Chunks<Node> nodes_;
    Place free_ = kNoPlace;
    std::size_t size_ = 0;
};

// Some entries of a table in an order of their own; an entry is in one list at most.
struct Links {
    Place before = kNoPlace;
    Place after = kNoPlace;
};
struct PlaceList {
    Place first = kNoPlace;
    Place last = kNoPlace;
    std::uint32_t size = 0;

    // `Value` of the table has a member `links`.
    template <class Value>
    void push_back(KeyedTable<Value>& table, Place place) {
        table[place].links = {last, kNoPlace};
        if (last == kNoPlace) {
            first = place;
        } else {
            table[last].links.after = place;
        }
        last = place;
        ++size;
    }
    template <class Value>
    void remove(KeyedTable<Value>& table, Place place) {
        const Links links = table[place].links;
        if (links.before == kNoPlace) {
            first = links.after;
        } else {
            table[links.before].links.after = links.after;
        }
        if (links.after == kNoPlace) {
            last = links.before;
        } else {
            table[links.after].links.before = links.before;
        }
        --size;
    }
};

}  // namespace nsr::rules
