// Table: the elements of one set as rows of 32-bit words, found by a keyed hash.
//
// Theory of operation
//   A row is a key (what the element is, see key.hpp) and whatever its set keeps beside it; how
//   many words either has is fixed when the table is made, so that a row costs what it needs.
//   Linear hashing: a row that is added splits one bucket at most, so that the table grows with its
//   rows and never moves them all at once. Rows keep their place, a number, until they are removed;
//   a place that is free again is used before a new one. Memory comes in chunks. Nothing is
//   allocated by a search. An emptied table hands its chunks out, to be freed a few at a time.
// kernel: ip_set_hash_gen.h
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/siphash.hpp"

namespace nsr::sets {

using Place = std::uint32_t;
inline constexpr Place kNoPlace = 0xffffffff;

class Table {
  public:
    using Chunk = std::unique_ptr<std::uint32_t[]>;

    // `key_words` at most kMostKeyWords.
    Table(SipKey hash_key, unsigned key_words, unsigned extra_words);

    static constexpr unsigned kMostKeyWords = 16;

    [[nodiscard]] std::size_t size() const { return size_; }
    // All rows stand at places below this.
    [[nodiscard]] std::size_t places() const { return places_; }
    [[nodiscard]] bool used(Place place) const { return row(place)[kHash] != 0; }
    [[nodiscard]] const std::uint32_t* key(Place place) const { return row(place) + kKey; }
    [[nodiscard]] const std::uint32_t* extra(Place place) const { return row(place) + extra_at_; }
    [[nodiscard]] std::uint32_t* extra(Place place) { return row(place) + extra_at_; }
    [[nodiscard]] std::size_t bytes() const;

    // `key` has key_words words.
    [[nodiscard]] Place find(const std::uint32_t* key) const;
    // Precondition: it is not there. The extra words are zero.
    Place add(const std::uint32_t* key);
    void remove(Place place);
    // Empties it; its memory goes to `chunks`.
    void clear(std::vector<Chunk>& chunks);

  private:
    // Words of a row: the hash with its highest bit set (0: the place is free), the next place in
    // the bucket or among the free ones, the key, the rest.
    static constexpr unsigned kHash = 0;
    static constexpr unsigned kNext = 1;
    static constexpr unsigned kKey = 2;
    static constexpr std::uint32_t kUsed = 0x80000000;
    static constexpr std::size_t kChunkRows = 512;
    static constexpr std::size_t kChunkBuckets = 1024;

    [[nodiscard]] const std::uint32_t* row(Place place) const {
        return rows_[place / kChunkRows].get() + place % kChunkRows * stride_;
    }
    [[nodiscard]] std::uint32_t* row(Place place) {
        return rows_[place / kChunkRows].get() + place % kChunkRows * stride_;
    }
    [[nodiscard]] std::uint32_t& bucket(std::size_t at) const {
        return buckets_[at / kChunkBuckets][at % kChunkBuckets];
    }
    [[nodiscard]] std::uint32_t hash_of(const std::uint32_t* key) const;
    [[nodiscard]] std::size_t bucket_of(std::uint32_t hash) const;
    void add_bucket();
    void split();
    Place take_place();

    SipKey hash_key_;
    unsigned key_words_;
    unsigned extra_at_;
    unsigned stride_;
    std::vector<Chunk> rows_;
    std::vector<Chunk> buckets_;
    std::size_t bucket_count_ = 0;
    std::size_t places_ = 0;
    std::size_t size_ = 0;
    Place free_ = kNoPlace;
};

}  // namespace nsr::sets
