// SetSpec: how a set was created.
#pragma once

#include <cstdint>
#include <optional>

#include "core/sets/failure.hpp"
#include "core/sets/type.hpp"
#include "core/wire/address.hpp"

namespace nsr::sets {

struct SetSpec {
    const SetType* type = nullptr;
    Family family = Family::None;          // None: of no family (ports, sets)
    std::uint32_t hashsize = 1024;         // printed only: a table grows with its elements
    std::uint32_t maxelem = 65536;         // 0: one. kernel: IPSET_DEFAULT_MAXELEM
    std::optional<std::uint32_t> timeout;  // seconds that an element stays, 0: for good; nothing:
                                           // the set knows no timeouts
    bool counters = false;
    bool comment = false;
    bool skbinfo = false;
    bool forceadd = false;                // a full set gives up an element for a new one
    std::optional<std::uint8_t> netmask;  // of addresses; at most one of these two
    std::optional<IpAddress> bitmask;
    std::uint32_t markmask = 0xffffffff;
    std::uint8_t bucketsize = 12;  // printed only
    std::uint32_t initval = 0;     // printed only: the key of the hash is nobody's business
    std::uint32_t first = 0;       // of bitmaps: IPv4 addresses or ports
    std::uint32_t last = 0;
    std::uint32_t size = 8;  // of list:set; printed only

    // What of an address counts.
    [[nodiscard]] IpAddress mask() const;
    // How many addresses one element of a bitmap stands for.
    [[nodiscard]] std::uint64_t hosts() const;
    // Why there can be no such set.
    [[nodiscard]] Failure check() const;
    // What a set that exists already must have in common with one that is created with -exist.
    [[nodiscard]] bool same_as(const SetSpec& other) const;
};

inline constexpr std::uint64_t kMostBitmapElements = 65536;  // kernel: IPSET_BITMAP_MAX_RANGE + 1

}  // namespace nsr::sets
