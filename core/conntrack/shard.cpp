#include "core/conntrack/shard.hpp"

#include <algorithm>
#include <array>

#include "core/base/check.hpp"
#include "core/conntrack/trackers/icmp_error.hpp"

namespace nsr::conntrack {

Shard::Shard(const ShardPlace& place, SipKey key)
    : place_(place), hash_{place.key, place.count}, claims_(0, Hash{key}) {
    NSR_CHECK(place.index < place.count && place.count <= kMost);
    NSR_CHECK(alone() || place.neighbours != nullptr);
}

std::size_t Shard::Hash::operator()(const Tuple& tuple) const {
    constexpr std::size_t kAddressWords = 4;
    std::array<std::uint64_t, kAddressWords + 1> words{};
    for (std::size_t i = 0; i < kAddressWords; ++i) {
        words[i] = std::uint64_t{tuple.source.words[i]} << 32 | tuple.destination.words[i];
    }
    words.back() = std::uint64_t{tuple.source_port} << 32 |
                   std::uint64_t{tuple.destination_port} << 16 | tuple.protocol;
    return siphash13(key, words.data(), words.size());
}

// Without a tuple a packet is of no connection, and every shard says the same about it.
std::optional<unsigned> Shard::owner_elsewhere(const Packet& packet) const {
    const Layout& layout = packet.layout;
    unsigned owner = place_.index;
    if (layout.is_fragment || layout.fragment_header_cut) {
        owner = hash_.of_pair(layout.source, layout.destination);
    } else if (const auto quoted = tuple_of_quoted_packet(packet)) {
        owner = owner_of(*quoted);
    } else if (const auto tuple = tuple_of(packet)) {
        owner = owner_of(*tuple);
    }
    return owner == place_.index ? std::nullopt : std::optional(owner);
}

// A claim is of the tuple of answers; an error may quote what they answer.
unsigned Shard::owner_of(const Tuple& tuple) const {
    if (!claims_.empty()) {
        const unsigned* claim = claim_of(tuple);
        if (const auto inverse = invert(tuple); claim == nullptr && inverse) {
            claim = claim_of(*inverse);
        }
        if (claim != nullptr) {
            return *claim;
        }
    }
    return hash_.of(tuple);
}

const unsigned* Shard::claim_of(const Tuple& tuple) const {
    const auto found = claims_.find(tuple);
    return found == claims_.end() ? nullptr : &found->second;
}

void Shard::answers_begin(const Tuple& reply) {
    if (!is_home_of(reply)) {
        claims_[reply] = place_.index;
        place_.neighbours->claim(hash_.of(reply), reply, true);
    }
}

void Shard::answers_end(const Tuple& reply) {
    if (!is_home_of(reply) && claims_.erase(reply) != 0) {
        place_.neighbours->claim(hash_.of(reply), reply, false);
    }
}

// Two shards may claim the same tuple; the later one has it, and only it can give it up.
void Shard::claimed(unsigned by, const Tuple& tuple, bool holds) {
    if (holds) {
        claims_[tuple] = by;
    } else if (const unsigned* claim = claim_of(tuple); claim != nullptr && *claim == by) {
        claims_.erase(tuple);
    }
}

}  // namespace nsr::conntrack
