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

// Without a tuple a packet is of no connection, and every shard says the same about it. A claim is
// of the tuple of answers; an error may also quote what they answer.
std::optional<unsigned> Shard::owner_elsewhere(const Packet& packet) const {
    const Layout& layout = packet.layout;
    unsigned owner = place_.index;
    if (layout.is_fragment || layout.fragment_header_cut) {
        owner = hash_.of_pair(layout.source, layout.destination);
    } else if (const auto quoted = tuple_of_quoted_packet(packet)) {
        const auto inverse = invert(*quoted);
        const auto claim = inverse ? claim_of(*inverse, packet) : std::nullopt;
        owner = claim ? *claim : claim_of(*quoted, packet).value_or(hash_.of(*quoted));
    } else if (const auto tuple = tuple_of(packet)) {
        owner = claim_of(*tuple, packet).value_or(hash_.of(*tuple));
    }
    return owner == place_.index ? std::nullopt : std::optional(owner);
}

// A claim of its own holds for what its home sent here: there it may have come too late.
std::optional<unsigned> Shard::claim_of(const Tuple& tuple, const Packet& packet) const {
    const auto found = claims_.empty() ? claims_.end() : claims_.find(tuple);
    const bool holds =
        found != claims_.end() && (found->second != place_.index || packet.meta.handed_over);
    return holds ? std::optional(found->second) : std::nullopt;
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

bool Shard::are_taken_elsewhere(const Tuple& reply) const {
    const auto found = claims_.empty() ? claims_.end() : claims_.find(reply);
    return found != claims_.end() && found->second != place_.index;
}

// Two shards may claim the same tuple, as two hosts do that talk ESP to one server; the first one
// has the answers. In one table the second connection could not be confirmed, nor can it in the
// home of the answers.
void Shard::claimed(unsigned by, const Tuple& tuple, bool holds) {
    if (holds) {
        claims_.try_emplace(tuple, by);
    } else if (const auto claim = claims_.find(tuple);
               claim != claims_.end() && claim->second == by) {
        claims_.erase(claim);
    }
}

}  // namespace nsr::conntrack
