// Strong names for the small numbers that would otherwise all be `unsigned`.
#pragma once

#include <cstdint>
#include <type_traits>

namespace nsr {

// An interface of this router; index into the interface table, dense from 1. Zero means "none"
// (locally generated).
enum class IfIndex : std::uint16_t {
    None = 0,
    Loopback = 0xffff,  // "lo", which every router has and no table lists
};

// A record of the connection table: stable for the life of the connection, reused after it.
enum class ConnId : std::uint32_t { None = 0xffffffff };

// A rule of the loaded ruleset; survives in records as provenance. Zero means "none".
enum class RuleId : std::uint32_t { None = 0 };

using Mark = std::uint32_t;
using Zone = std::uint16_t;
using Port = std::uint16_t;

template <class Id>
constexpr auto raw(Id id) {
    return static_cast<std::underlying_type_t<Id>>(id);
}

}  // namespace nsr
