// TupleKey: a tuple in a zone, in the form in which records store it; how it is compared with a
// record and how it is hashed.
//
// The hash is symmetric in the two ends and takes ICMP types that answer each other for the same,
// so the two tuples of an untranslated connection hash alike. It is keyed: the words of the key go
// through NH (Black et al., UMAC, 1999), which maps two different tuples to one 128-bit sum with
// probability 2^-64 over the secret keys, whatever the tuples are; a second keyed multiplication
// spreads that sum over the 64 bits of which the index takes the upper ones for the bucket and the
// lower ones for the tag. Who sends packets never sees a hash, so they cannot do better than chance
// in filling one bucket. One multiplication for IPv4, three for IPv6, and one for the spreading.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/base/ct_info.hpp"
#include "core/base/siphash.hpp"
#include "core/conntrack/record/connection.hpp"
#include "core/conntrack/record/tuple.hpp"

namespace nsr::conntrack {

using Words = std::array<std::uint32_t, 4>;

struct TupleKey {
    StoredTuple stored;
    Family family = Family::None;
    std::uint8_t protocol = 0;
    Zone zone = 0;
    const Words* source6 = nullptr;  // valid iff family is Ipv6
    const Words* destination6 = nullptr;
};

// The key refers to the addresses of `tuple`.
inline TupleKey key_of(const Tuple& tuple, Zone zone) {
    const bool v4 = tuple.family() == Family::Ipv4;
    return {{v4 ? tuple.source.words[0] : 0, v4 ? tuple.destination.words[0] : 0, tuple.source_port,
             tuple.destination_port},
            tuple.family(),
            tuple.protocol,
            zone,
            &tuple.source.words,
            &tuple.destination.words};
}

inline bool same(const StoredTuple& a, const StoredTuple& b) {
    return a.source == b.source && a.destination == b.destination &&
           a.source_port == b.source_port && a.destination_port == b.destination_port;
}

inline bool same(const TupleKey& a, const TupleKey& b) {
    return same(a.stored, b.stored) && a.family == b.family && a.protocol == b.protocol &&
           a.zone == b.zone &&
           (a.family != Family::Ipv6 ||
            (*a.source6 == *b.source6 && *a.destination6 == *b.destination6));
}

class TupleHash {
  public:
    explicit TupleHash(SipKey key);

    std::uint64_t operator()(const TupleKey& key) const;

  private:
    [[nodiscard]] std::uint64_t spread(std::uint64_t low, std::uint64_t high) const;

    std::array<std::uint64_t, 8> keys_{};
};

// The product of two 64-bit numbers, as its lower and upper half.
struct WideProduct {
    std::uint64_t low;
    std::uint64_t high;
};
inline WideProduct multiply(std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return {static_cast<std::uint64_t>(product), static_cast<std::uint64_t>(product >> 64)};
}

}  // namespace nsr::conntrack
