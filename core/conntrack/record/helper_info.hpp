// The helpers that there are: what a rule or a list calls them, the traffic each is for, and how
// much it may expect. What they do is in core/helpers. kernel: struct nf_conntrack_helper
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/ids.hpp"
#include "core/wire/address.hpp"

namespace nsr::conntrack {

enum class HelperId : std::uint8_t {
    None,
    Amanda,
    Ftp,
    Irc,
    Pptp,
    Sane,
    SipTcp,
    SipUdp,
    Tftp,
    Count,
};

// kernel: struct nf_conntrack_expect_policy
struct ExpectPolicy {
    std::string_view name;           // of the class, for listings; empty: it has none
    std::uint32_t max_expected = 1;  // of one connection at a time; the oldest makes way
    std::uint32_t timeout_seconds = 300;
};

inline constexpr std::size_t kExpectClasses = 4;

struct HelperInfo {
    HelperId id = HelperId::None;
    std::string_view name;
    std::uint8_t protocol = 0;  // of the connections that it can help
    bool ipv6 = false;          // IPv4 it can always help
    Port port = 0;              // where it attaches itself, if it may
    std::array<ExpectPolicy, kExpectClasses> classes{};
};

// All of them.
std::span<const HelperInfo> helpers();
// Precondition: not None.
const HelperInfo& helper_info(HelperId id);
// The helper of that name for connections of `protocol` and `family`.
std::optional<HelperId> find_helper(std::string_view name, std::uint8_t protocol, Family family);
bool is_helper_name(std::string_view name);

// Which of them attach themselves to connections to their ports, as a bit for each id.
using HelperSet = std::uint32_t;
constexpr HelperSet helper_bit(HelperId id) {
    return HelperSet{1} << static_cast<unsigned>(id);
}

}  // namespace nsr::conntrack
