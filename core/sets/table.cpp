#include "core/sets/table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

namespace nsr::sets {

Table::Table(SipKey hash_key, unsigned key_words, unsigned extra_words)
    : hash_key_(hash_key),
      key_words_(key_words),
      extra_at_(kKey + key_words),
      stride_(extra_at_ + extra_words) {
    add_bucket();
}

std::size_t Table::bytes() const {
    const std::size_t row_bytes = kChunkRows * stride_ * sizeof(std::uint32_t);
    const std::size_t bucket_bytes = kChunkBuckets * sizeof(std::uint32_t);
    return rows_.size() * row_bytes + buckets_.size() * bucket_bytes;
}

Place Table::find(const std::uint32_t* key) const {
    const std::uint32_t hash = hash_of(key);
    for (Place at = bucket(bucket_of(hash)); at != kNoPlace; at = row(at)[kNext]) {
        if (row(at)[kHash] == hash && std::equal(key, key + key_words_, row(at) + kKey)) {
            return at;
        }
    }
    return kNoPlace;
}

Place Table::add(const std::uint32_t* key) {
    if (++size_ > bucket_count_) {
        split();
    }
    const Place place = take_place();
    std::uint32_t* added = row(place);
    std::fill(added, added + stride_, 0);
    added[kHash] = hash_of(key);
    std::copy(key, key + key_words_, added + kKey);
    std::uint32_t& first = bucket(bucket_of(added[kHash]));
    added[kNext] = std::exchange(first, place);
    return place;
}

void Table::remove(Place place) {
    std::uint32_t* removed = row(place);
    std::uint32_t* at = &bucket(bucket_of(removed[kHash]));
    while (*at != place) {
        at = &row(*at)[kNext];
    }
    *at = removed[kNext];
    removed[kHash] = 0;
    removed[kNext] = std::exchange(free_, place);
    --size_;
}

void Table::clear(std::vector<Chunk>& chunks) {
    for (std::vector<Chunk>* from : {&rows_, &buckets_}) {
        std::move(from->begin(), from->end(), std::back_inserter(chunks));
        from->clear();
    }
    bucket_count_ = 0;
    places_ = 0;
    size_ = 0;
    free_ = kNoPlace;
    add_bucket();
}

std::uint32_t Table::hash_of(const std::uint32_t* key) const {
    std::array<std::uint64_t, kMostKeyWords / 2> words{};
    for (unsigned i = 0; i < key_words_; ++i) {
        words[i / 2] |= std::uint64_t{key[i]} << (i % 2 * 32);
    }
    const std::uint64_t hash = siphash13(hash_key_, words.data(), (key_words_ + 1) / 2);
    return static_cast<std::uint32_t>(hash) | kUsed;
}

std::size_t Table::bucket_of(std::uint32_t hash) const {
    const std::size_t mask = std::bit_ceil(bucket_count_) - 1;
    const std::size_t at = (hash & ~kUsed) & mask;
    return at < bucket_count_ ? at : at & (mask >> 1);
}

void Table::add_bucket() {
    if (bucket_count_ == buckets_.size() * kChunkBuckets) {
        buckets_.push_back(std::make_unique<std::uint32_t[]>(kChunkBuckets));
    }
    bucket(bucket_count_++) = kNoPlace;
}

// One more bucket; what belongs into it comes from the one that stood for it so far.
void Table::split() {
    constexpr std::size_t kMostBuckets = std::size_t{1} << 31;
    if (bucket_count_ == kMostBuckets) {
        return;
    }
    const std::size_t from = bucket_count_ - std::bit_floor(bucket_count_);
    add_bucket();
    Place at = std::exchange(bucket(from), kNoPlace);
    while (at != kNoPlace) {
        std::uint32_t* moved = row(at);
        std::uint32_t& first = bucket(bucket_of(moved[kHash]));
        const Place next = moved[kNext];
        moved[kNext] = std::exchange(first, at);
        at = next;
    }
}

Place Table::take_place() {
    if (free_ != kNoPlace) {
        return std::exchange(free_, row(free_)[kNext]);
    }
    if (places_ == rows_.size() * kChunkRows) {
        rows_.push_back(std::make_unique<std::uint32_t[]>(kChunkRows * stride_));
    }
    return static_cast<Place>(places_++);
}

}  // namespace nsr::sets
