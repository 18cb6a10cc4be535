#include "core/routing/prefix_index.hpp"

#include <algorithm>
#include <utility>

namespace nsr::routing {

namespace {

constexpr std::size_t kFirstSlots = 16;

std::size_t hash(const IpAddress& network, std::uint8_t length) {
    constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15;  // 2^64 / golden ratio
    std::uint64_t h = length;
    for (unsigned i = 0; i < 4; ++i) {
        h = (h ^ network.words[i]) * kMultiplier;
        h ^= h >> 32;
    }
    return static_cast<std::size_t>(h);
}

}  // namespace

void PrefixIndex::clear() {
    lengths_[0].clear();
    lengths_[1].clear();
    slots_.assign(kFirstSlots, Slot{});
    size_ = 0;
}

bool PrefixIndex::insert(const Prefix& prefix, std::uint32_t value) {
    if (2 * (size_ + 1) > slots_.size()) {
        grow();
    }
    const IpAddress network = prefix.network().address;
    Slot& slot = slots_[slot_of(network, prefix.length)];
    if (slot.network.family != Family::None) {
        return false;
    }
    slot = {network, prefix.length, value};
    ++size_;
    use_length(network.family, prefix.length);
    return true;
}

std::optional<std::uint32_t> PrefixIndex::longest(const IpAddress& address) const {
    for (const Length& length : lengths_[index_of(address.family)]) {
        const Slot& slot = slots_[slot_of(address & length.mask, length.bits)];
        if (slot.network.family != Family::None) {
            return slot.value;
        }
    }
    return std::nullopt;
}

std::optional<std::uint32_t> PrefixIndex::longest_below(const IpAddress& address,
                                                        unsigned below) const {
    for (const Length& length : lengths_[index_of(address.family)]) {
        const Slot& slot = slots_[slot_of(address & length.mask, length.bits)];
        if (length.bits < below && slot.network.family != Family::None) {
            return slot.value;
        }
    }
    return std::nullopt;
}

std::uint32_t* PrefixIndex::find(const Prefix& prefix) {
    Slot& slot = slots_[slot_of(prefix.network().address, prefix.length)];
    return slot.network.family == Family::None ? nullptr : &slot.value;
}

std::size_t PrefixIndex::slot_of(const IpAddress& network, std::uint8_t length) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash(network, length) & mask;
    while (slots_[at].network.family != Family::None &&
           !(slots_[at].network == network && slots_[at].length == length)) {
        at = (at + 1) & mask;
    }
    return at;
}

void PrefixIndex::use_length(Family family, std::uint8_t length) {
    auto& lengths = lengths_[index_of(family)];
    const auto at = std::find_if(lengths.begin(), lengths.end(),
                                 [length](const Length& used) { return used.bits <= length; });
    if (at == lengths.end() || at->bits != length) {
        lengths.insert(at, {length, mask_of(family, length)});
    }
}

void PrefixIndex::grow() {
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
    for (const Slot& slot : old) {
        if (slot.network.family != Family::None) {
            slots_[slot_of(slot.network, slot.length)] = slot;
        }
    }
}

}  // namespace nsr::routing
