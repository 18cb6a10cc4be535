#include "core/routing/prefix_index.hpp"

#include <algorithm>
#include <utility>

namespace nsr::routing {

std::size_t hash_of(const Network6& network, std::uint8_t length) {
    std::uint64_t h = length;
    for (const std::uint32_t word : network) {
        h = (h ^ word) * kGoldenMultiplier;
        h ^= h >> 32;
    }
    return static_cast<std::size_t>(h);
}

template <class Network>
bool Prefixes<Network>::insert(const Network& network, std::uint8_t length, const Network& mask,
                               std::uint32_t value) {
    if (2 * (size_ + 1) > slots_.size()) {
        grow();
    }
    Slot& slot = slots_[slot_of(network, length)];
    if (slot.used) {
        return false;
    }
    slot = {network, value, length, true};
    ++size_;
    use_length(length, mask);
    return true;
}

template <class Network>
std::uint32_t* Prefixes<Network>::find(const Network& network, std::uint8_t length) {
    Slot& slot = slots_[slot_of(network, length)];
    return slot.used ? &slot.value : nullptr;
}

template <class Network>
void Prefixes<Network>::use_length(std::uint8_t length, const Network& mask) {
    const auto at = std::find_if(lengths_.begin(), lengths_.end(),
                                 [length](const Length& used) { return used.bits <= length; });
    if (at == lengths_.end() || at->bits != length) {
        lengths_.insert(at, {length, mask});
    }
}

template <class Network>
void Prefixes<Network>::grow() {
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
    for (const Slot& slot : old) {
        if (slot.used) {
            slots_[slot_of(slot.network, slot.length)] = slot;
        }
    }
}

template class Prefixes<Network4>;
template class Prefixes<Network6>;

bool PrefixIndex::insert(const Prefix& prefix, std::uint32_t value) {
    const IpAddress network = prefix.network().address;
    const IpAddress mask = mask_of(network.family, prefix.length);
    return network.is_v4() ? v4_.insert(network.words[0], prefix.length, mask.words[0], value)
                           : v6_.insert(network.words, prefix.length, mask.words, value);
}

std::uint32_t* PrefixIndex::find(const Prefix& prefix) {
    const IpAddress network = prefix.network().address;
    return network.is_v4() ? v4_.find(network.words[0], prefix.length)
                           : v6_.find(network.words, prefix.length);
}

}  // namespace nsr::routing
