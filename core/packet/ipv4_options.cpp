#include "core/packet/ipv4_options.hpp"

#include <algorithm>
#include <utility>

#include "core/packet/rewrite.hpp"
#include "core/wire/ipv4.hpp"

namespace nsr {

namespace {

namespace ipv4 = wire::ipv4;

// The third byte of a recording option points (counted from 1) at the next free byte.
constexpr std::size_t kPointer = 2;
constexpr std::size_t kOverflowAndFlag = 3;  // of a timestamp option
constexpr std::uint8_t kTimeOnly = 0;
constexpr std::uint8_t kTimeAndAddress = 1;
constexpr std::uint8_t kPrespecified = 3;

struct Seen {
    bool source_route = false;
    bool record_route = false;
    bool timestamp = false;
};

constexpr std::size_t kFine = ~std::size_t{0};

std::size_t problem_of(std::span<const std::uint8_t> option, Seen& seen);
std::size_t route_problem(std::span<const std::uint8_t> option, bool& seen);
std::size_t timestamp_problem(std::span<const std::uint8_t> option, bool& seen);
void stamp(std::span<std::uint8_t> option, const Ipv4Stamp& values);

}  // namespace

Ipv4OptionFacts check_ipv4_options(std::span<const std::uint8_t> header) {
    Ipv4OptionFacts facts;
    Seen seen;
    for (std::size_t i = ipv4::kOptionsOffset; i < header.size();) {
        const std::uint8_t type = header[i];
        if (type == ipv4::kOptionEnd) {
            break;
        }
        if (type == ipv4::kOptionNop) {
            ++i;
            continue;
        }
        const std::size_t left = header.size() - i;
        const std::size_t length = left < 2 ? 0 : header[i + 1];
        const bool impossible = length < 2 || length > left;
        const std::size_t problem = impossible ? 0 : problem_of(header.subspan(i, length), seen);
        if (problem != kFine) {
            facts.problem_pointer = static_cast<std::uint16_t>(i + problem);
            break;
        }
        i += length;
    }
    facts.source_routed = seen.source_route;
    return facts;
}

void stamp_ipv4_options(Packet& packet, const Ipv4Stamp& values) {
    if (!packet.layout.has_ipv4_options || packet.layout.problem_pointer != 0) {
        return;
    }
    const auto header = packet.bytes().first(packet.layout.l4_offset);
    for (std::size_t i = ipv4::kOptionsOffset; i < header.size();) {
        const std::uint8_t type = header[i];
        if (type == ipv4::kOptionEnd) {
            std::fill(header.begin() + static_cast<std::ptrdiff_t>(i), header.end(),
                      std::uint8_t{0});
            break;
        }
        const std::size_t length = type == ipv4::kOptionNop ? 1 : header[i + 1];
        stamp(header.subspan(i, length), values);
        i += length;
    }
    rewrite::recompute_ipv4_header_checksum(packet);
}

namespace {

// Offset of the malformed byte in the option, or kFine.
std::size_t problem_of(std::span<const std::uint8_t> option, Seen& seen) {
    switch (option[0]) {
        case ipv4::kOptionLooseSourceRoute:
        case ipv4::kOptionStrictSourceRoute:
            if (option.size() < 3) {
                return 1;
            }
            if (option[kPointer] < 4) {
                return kPointer;
            }
            return std::exchange(seen.source_route, true) ? 0 : kFine;
        case ipv4::kOptionRecordRoute:
            return route_problem(option, seen.record_route);
        case ipv4::kOptionTimestamp:
            return timestamp_problem(option, seen.timestamp);
        case ipv4::kOptionRouterAlert:
            return option.size() < 4 ? 1 : kFine;
        default:
            return kFine;
    }
}

std::size_t route_problem(std::span<const std::uint8_t> option, bool& seen) {
    if (std::exchange(seen, true)) {
        return 0;
    }
    if (option.size() < 3) {
        return 1;
    }
    const std::size_t pointer = option[kPointer];
    const bool cut_off = pointer <= option.size() && pointer + 3 > option.size();
    return pointer < 4 || cut_off ? kPointer : kFine;
}

std::size_t timestamp_problem(std::span<const std::uint8_t> option, bool& seen) {
    if (std::exchange(seen, true)) {
        return 0;
    }
    if (option.size() < 4) {
        return 1;
    }
    const std::size_t pointer = option[kPointer];
    const std::uint8_t flag = option[kOverflowAndFlag] & 0x0f;
    if (pointer < 5) {
        return kPointer;
    }
    if (pointer > option.size()) {
        const bool overflowed = flag != kPrespecified && option[kOverflowAndFlag] >> 4 == 15;
        return overflowed ? kOverflowAndFlag : kFine;
    }
    const bool with_address = flag == kTimeAndAddress || flag == kPrespecified;
    return pointer + (with_address ? 7 : 3) > option.size() ? kPointer : kFine;
}

// One entry into an option that has room for it.
void stamp(std::span<std::uint8_t> option, const Ipv4Stamp& values) {
    const bool route = option[0] == ipv4::kOptionRecordRoute;
    if (!route && option[0] != ipv4::kOptionTimestamp) {
        return;
    }
    std::uint8_t& pointer = option[kPointer];
    const std::uint8_t flag = route ? kTimeAndAddress : option[kOverflowAndFlag] & 0x0f;
    if (pointer > option.size()) {
        if (!route && flag != kPrespecified) {
            option[kOverflowAndFlag] = static_cast<std::uint8_t>(option[kOverflowAndFlag] + 0x10);
        }
        return;
    }
    std::uint8_t* place = option.data() + pointer - 1;
    if (flag == kTimeAndAddress) {
        wire::store32(place, (route ? values.outgoing : values.incoming).as_v4());
        place += 4;
        pointer = static_cast<std::uint8_t>(pointer + 4);
    }
    if (!route && (flag == kTimeOnly || flag == kTimeAndAddress)) {
        wire::store32(place, values.time_of_day_ms);
        pointer = static_cast<std::uint8_t>(pointer + 4);
    }
}

}  // namespace

}  // namespace nsr
