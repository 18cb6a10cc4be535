// Timeout policies: how long connections live that a rule names one for (CT --timeout), and what
// the states of each protocol are called. kernel: struct ctnl_timeout, nfnetlink_cttimeout.c
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "core/conntrack/record/settings.hpp"
#include "core/wire/address.hpp"

namespace nsr::conntrack {

// A policy while it is there, and the connections that began with it. As stored in records.
enum class TimeoutPolicyId : std::uint16_t { None = 0 };
inline constexpr std::uint16_t kMostTimeoutPolicies = 1023;  // at one time; all bits of an id
inline constexpr std::size_t kMaxTimeoutNameBytes = 31;      // kernel: CTNL_TIMEOUT_NAME_MAX
inline constexpr std::uint32_t kLongestTimeout = 8'589'934;  // seconds; as of the sysctls

// A connection of a protocol that has no tracker. kernel: nf_conntrack_l4proto_generic
inline constexpr std::uint8_t kGenericProtocol = 255;

struct TimeoutState {
    std::string_view name;  // as nfct(8) lists it; it is written in any case
    std::uint32_t Timeouts::*seconds = nullptr;
};

struct TimeoutProtocol {
    std::string_view name;  // as nfct(8) reads it
    std::uint8_t number = 0;
    std::span<const TimeoutState> states;

    // Null: it has none of that name.
    [[nodiscard]] const TimeoutState* find(std::string_view state) const;
};

// All that a policy can be for.
std::span<const TimeoutProtocol> timeout_protocols();
// In any case; null: there is none.
const TimeoutProtocol* find_timeout_protocol(std::string_view name);
// The row that says how long connections of this protocol live.
const TimeoutProtocol& timeout_protocol(std::uint8_t number);

struct TimeoutPolicy {
    std::string name;
    Family family = Family::Ipv4;  // of the rules that may name it
    std::uint8_t protocol = 0;     // TimeoutProtocol::number
    Timeouts timeouts;             // of which those of its protocol count
};

// What rules have to know of the policies that they name.
struct TimeoutKind {
    Family family = Family::None;
    std::uint8_t protocol = 0;
};
using TimeoutCatalogue = std::map<std::string, TimeoutKind, std::less<>>;

}  // namespace nsr::conntrack
