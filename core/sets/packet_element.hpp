// What a packet is to a set: the element that its addresses, ports and marks make up.
// kernel: the kadt functions of ip_set_*.c, ip_set_getport.c
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/packet/packet.hpp"
#include "core/sets/element.hpp"
#include "core/sets/spec.hpp"

namespace nsr::sets {

// What a rule says behind the name of a set: "src,dst".
struct Directions {
    std::uint8_t count = 0;
    std::uint8_t sources = 0;  // bit i: the i-th is src

    [[nodiscard]] bool source(unsigned part) const { return (sources >> part & 1) != 0; }
};
inline constexpr unsigned kMostDirections = 6;  // kernel: IPSET_DIM_MAX of xt_set

// A packet with what a rule knows of its way.
struct Seen {
    const Packet& packet;
    std::string_view in;  // names of interfaces; empty: none
    std::string_view out;
    std::int64_t* work_left = nullptr;  // what its rules may still cost; null: nobody counts

    // For another look into a set; false: no more of them.
    [[nodiscard]] bool pay(std::size_t looks) const {
        constexpr std::int64_t kLookWork = 64;
        if (work_left != nullptr) {
            *work_left -= static_cast<std::int64_t>(looks) * kLookWork;
        }
        return work_left == nullptr || *work_left >= 0;
    }
};

// Nothing: it has no such ports (a fragment, a short header), or no address of a link layer, or is
// of another family, or there are too few directions.
std::optional<Element> element_of(const SetSpec& spec, const Seen& seen, Directions directions);

}  // namespace nsr::sets
