#include "core/nat/address_choice.hpp"

#include "core/nat/jhash.hpp"
#include "core/nat/port_allocator.hpp"

namespace nsr::nat {

namespace {

using conntrack::Tuple;
using Words = std::array<std::uint32_t, 4>;

Words as_in_memory(const IpAddress& address);
std::uint32_t swap_bytes(std::uint32_t word);
std::uint32_t scale(std::uint32_t value, std::uint32_t bound);

}  // namespace

bool source_in_range(const Tuple& tuple, const Range& range) {
    if (range.map_addresses &&
        (tuple.source < range.min_address || tuple.source > range.max_address)) {
        return false;
    }
    return !range.map_ports || key_in_range(tuple, Manip::Source, range);
}

void choose_address(Tuple& tuple, Manip manip, const Range& range, Zone zone) {
    if (!range.map_addresses) {
        return;
    }
    IpAddress& chosen = manip == Manip::Source ? tuple.source : tuple.destination;
    if (range.min_address == range.max_address) {
        chosen = range.min_address;
        return;
    }
    const std::size_t last = tuple.source.is_v4() ? 0 : 3;
    const Words destination = as_in_memory(tuple.destination);
    std::uint32_t hash =
        jhash2(as_in_memory(tuple.source), range.persistent ? 0 : destination[last] ^ zone);
    // Once a word lies below the maximum, the words behind it may be anything.
    bool free_choice = false;
    for (std::size_t i = 0; i <= last; ++i) {
        const std::uint32_t min = free_choice ? 0 : range.min_address.words[i];
        const std::uint32_t distance = free_choice ? ~0u : range.max_address.words[i] - min + 1;
        chosen.words[i] = min + scale(hash, distance);
        free_choice = free_choice || chosen.words[i] != range.max_address.words[i];
        hash ^= range.persistent ? 0 : destination[i];
    }
}

namespace {

// The kernel hashes addresses as they lie in the memory of a little-endian machine.
Words as_in_memory(const IpAddress& address) {
    Words words{};
    for (std::size_t i = 0; i < words.size(); ++i) {
        words[i] = swap_bytes(address.words[i]);
    }
    return words;
}

std::uint32_t swap_bytes(std::uint32_t word) {
    return word << 24 | (word & 0xff00) << 8 | (word >> 8 & 0xff00) | word >> 24;
}

// kernel: reciprocal_scale
std::uint32_t scale(std::uint32_t value, std::uint32_t bound) {
    return static_cast<std::uint32_t>(static_cast<std::uint64_t>(value) * bound >> 32);
}

}  // namespace

}  // namespace nsr::nat
