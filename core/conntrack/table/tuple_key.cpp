#include "core/conntrack/table/tuple_key.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "core/wire/icmp.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::conntrack {
namespace {

// The port halves of the two ends, and what is added to the ends once they are in order.
struct Ports {
    std::uint64_t source = 0;
    std::uint64_t destination = 0;
    std::uint64_t first = 0;
    std::uint64_t second = 0;
};

Ports ports_of(const TupleKey& key);
std::uint8_t canonical_icmp_type(std::uint8_t protocol, std::uint8_t type);

std::uint64_t upper(const Words& words) {
    return static_cast<std::uint64_t>(words[0]) << 32 | words[1];
}
std::uint64_t lower(const Words& words) {
    return static_cast<std::uint64_t>(words[2]) << 32 | words[3];
}

}  // namespace

TupleHash::TupleHash(SipKey key) {
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        const std::uint64_t word = i;
        keys_[i] = siphash13(key, &word, 1);
    }
}

std::uint64_t TupleHash::operator()(const TupleKey& key) const {
    const Ports ports = ports_of(key);
    std::uint64_t a = static_cast<std::uint64_t>(key.stored.source) << 16 | ports.source;
    std::uint64_t b = static_cast<std::uint64_t>(key.stored.destination) << 16 | ports.destination;
    const Words* first = key.source6;
    const Words* second = key.destination6;
    const bool v6 = key.family == Family::Ipv6;
    if (v6 ? std::pair(*first, a) > std::pair(*second, b) : a > b) {
        std::swap(a, b);
        std::swap(first, second);
    }
    a |= ports.first | static_cast<std::uint64_t>(key.protocol) << 48 |
         static_cast<std::uint64_t>(key.family) << 56;
    b |= ports.second | static_cast<std::uint64_t>(key.zone) << 48;
    const WideProduct ends = multiply(a + keys_[0], b + keys_[1]);
    if (!v6) {
        return spread(ends.low, ends.high);
    }
    const WideProduct tops = multiply(upper(*first) + keys_[2], upper(*second) + keys_[3]);
    const WideProduct bottoms = multiply(lower(*first) + keys_[4], lower(*second) + keys_[5]);
    const std::uint64_t partial = ends.low + tops.low;
    const std::uint64_t low = partial + bottoms.low;
    const std::uint64_t carries = (partial < ends.low ? 1u : 0u) + (low < partial ? 1u : 0u);
    return spread(low, ends.high + tops.high + bottoms.high + carries);
}

std::uint64_t TupleHash::spread(std::uint64_t low, std::uint64_t high) const {
    const WideProduct product = multiply(low ^ keys_[6], high ^ keys_[7]);
    return product.low ^ product.high;
}

namespace {

Ports ports_of(const TupleKey& key) {
    const StoredTuple& tuple = key.stored;
    if (!proto::is_icmp(key.protocol)) {
        return {.source = tuple.source_port, .destination = tuple.destination_port};
    }
    // An answer has the identifier and the code of the question: neither belongs to an end.
    const auto type = static_cast<std::uint8_t>(tuple.destination_port >> 8);
    const auto code = static_cast<std::uint8_t>(tuple.destination_port);
    return {
        .first = tuple.source_port,
        .second = static_cast<std::uint64_t>(canonical_icmp_type(key.protocol, type)) << 8 | code};
}

// The lesser of a question and its answer.
std::uint8_t canonical_icmp_type(std::uint8_t protocol, std::uint8_t type) {
    return std::min(type, wire::icmp_counterpart(protocol, type).value_or(type));
}

}  // namespace
}  // namespace nsr::conntrack
