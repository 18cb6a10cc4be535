#include "core/routing/multipath.hpp"

#include <algorithm>
#include <array>

#include "core/base/check.hpp"
#include "core/wire/address_words.hpp"

namespace nsr::routing {

namespace {

constexpr unsigned kHashBits = 31;

}  // namespace

HashKeys keys_of(const Flow& flow, HashPolicy policy) {
    HashKeys keys{.source = flow.source, .destination = flow.destination};
    if (policy == HashPolicy::Ports || flow.destination.is_v6()) {
        keys.protocol = flow.protocol;
    }
    if (policy == HashPolicy::Ports) {
        keys.source_port = flow.source_port;
        keys.destination_port = flow.destination_port;
    }
    return keys;
}

std::uint32_t hash_of(const HashKeys& keys, SipKey key) {
    const auto [less, greater] = std::minmax(keys.source, keys.destination);
    const auto [low_port, high_port] = std::minmax(keys.source_port, keys.destination_port);
    const std::array<std::uint64_t, 6> words = {
        high(less),
        low(less),
        high(greater),
        low(greater),
        std::uint64_t{low_port} << 16 | high_port,
        std::uint64_t{keys.flow_label} << 8 | keys.protocol};
    return static_cast<std::uint32_t>(siphash13(key, words.data(), words.size()) >>
                                      (64 - kHashBits));
}

void share_out(std::span<Hop> hops) {
    std::uint64_t total = 0;
    for (const Hop& hop : hops) {
        total += hop.alive ? hop.weight : 0;
    }
    std::uint64_t so_far = 0;
    for (Hop& hop : hops) {
        if (hop.alive) {
            so_far += hop.weight;
            hop.end = static_cast<std::uint32_t>(((so_far << kHashBits) + total / 2) / total);
        }
    }
}

// What the router itself sends from a link's address leaves by that link, as far as the hash lets
// it.
const Hop& choose(std::span<const Hop> hops, const Flow& flow, SipKey key) {
    const std::uint32_t hash =
        flow.hash ? *flow.hash : hash_of(keys_of(flow, HashPolicy::Addresses), key);
    const Hop* by_hash = nullptr;
    const Hop* by_source = nullptr;
    for (const Hop& hop : hops) {
        const bool has_source = hop.source.family != Family::None && hop.source == flow.source;
        if (hop.alive && has_source && (by_source == nullptr || hash < hop.end)) {
            by_source = &hop;
        }
        if (hop.alive && by_hash == nullptr && hash < hop.end) {
            by_hash = &hop;
        }
    }
    NSR_CHECK(by_hash != nullptr);
    return by_source != nullptr ? *by_source : *by_hash;
}

}  // namespace nsr::routing
