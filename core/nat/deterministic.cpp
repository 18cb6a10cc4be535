#include "core/nat/deterministic.hpp"

#include <algorithm>

#include "core/wire/address_words.hpp"

namespace nsr::nat {

namespace {

// The lower half of an address: no prefix of hosts and no pool is larger than what it counts.
std::uint64_t number_of(const IpAddress& address) {
    return address.is_v4() ? address.as_v4() : low(address);
}

IpAddress plus(IpAddress address, std::uint64_t distance) {
    const std::uint64_t number = number_of(address) + distance;
    if (address.is_v4()) {
        address.words[0] = static_cast<std::uint32_t>(number);
    } else {
        address.words[2] = static_cast<std::uint32_t>(number >> 32);
        address.words[3] = static_cast<std::uint32_t>(number);
    }
    return address;
}

// Of a pool whose addresses differ in their upper halves the first are used.
std::uint64_t addresses_of(const Range& range) {
    if (!range.map_addresses) {
        return 1;
    }
    constexpr std::uint64_t kMost = std::uint64_t{1} << kMostHostBits;
    const std::uint64_t first = number_of(range.min_address);
    const std::uint64_t last = number_of(range.max_address);
    return last < first ? kMost : std::min(last - first, kMost - 1) + 1;
}

}  // namespace

Division divide(const Range& range) {
    const Behaviour& behaviour = range.behaviour;
    Division division;
    division.hosts = std::uint64_t{1}
                     << (behaviour.inside.address.bits() - behaviour.inside.length);
    division.addresses = addresses_of(range);
    const auto [first_port, ports] = ports_of(range);
    division.first_port = first_port;
    const std::uint64_t sharing = (division.hosts + division.addresses - 1) / division.addresses;
    division.block_ports = behaviour.block_ports != 0 ? behaviour.block_ports
                                                      : static_cast<std::uint32_t>(ports / sharing);
    division.blocks = division.block_ports == 0 ? 0 : ports / division.block_ports;
    return division;
}

std::optional<HostBlock> block_of_host(const Range& range, const IpAddress& host) {
    const Prefix& inside = range.behaviour.inside;
    const Division division = divide(range);
    if (!inside.contains(host) || division.blocks == 0) {
        return std::nullopt;
    }
    const std::uint64_t index = number_of(host) - number_of(inside.network().address);
    const std::uint64_t address = index / division.blocks;
    if (address >= division.addresses) {
        return std::nullopt;
    }
    const auto block = static_cast<std::uint32_t>(index % division.blocks);
    return HostBlock{range.map_addresses ? plus(range.min_address, address) : host,
                     {division.first_port + block * division.block_ports, division.block_ports}};
}

}  // namespace nsr::nat
