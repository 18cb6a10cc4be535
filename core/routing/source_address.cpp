#include "core/routing/source_address.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <compare>

namespace nsr::routing {

namespace {

// What is compared of two candidates, in the order of the rules; more is better.
struct Score {
    bool same = false;
    int scope = 0;
    bool outgoing = false;
    bool label = false;
    unsigned prefix = 0;
    friend auto operator<=>(const Score&, const Score&) = default;
};

std::optional<IpAddress> first_ipv4(const Interface& interface);
Score score(const Prefix& candidate, bool outgoing, const IpAddress& destination);
int scope_of(const IpAddress& address);
unsigned label_of(const IpAddress& address);
unsigned common_bits(const IpAddress& a, const IpAddress& b);

}  // namespace

std::optional<IpAddress> select_ipv4_source(const std::vector<Interface>& interfaces, IfIndex out,
                                            const IpAddress& destination) {
    const auto outgoing =
        std::find_if(interfaces.begin(), interfaces.end(),
                     [&](const Interface& interface) { return interface.index == out; });
    if (outgoing != interfaces.end()) {
        for (const Prefix& own : outgoing->addresses) {
            if (own.contains(destination)) {
                return own.address;
            }
        }
        if (const auto primary = first_ipv4(*outgoing)) {
            return primary;
        }
    }
    for (const Interface& interface : interfaces) {
        if (const auto any = first_ipv4(interface)) {
            return any;
        }
    }
    return std::nullopt;
}

std::optional<IpAddress> select_ipv6_source(const std::vector<Interface>& interfaces, IfIndex out,
                                            const IpAddress& destination) {
    std::optional<IpAddress> best;
    Score best_score;
    // Multicast and link-local destinations take nothing but the outgoing link's addresses.
    const bool on_link_only = destination.is_multicast() || destination.is_link_local();
    for (const Interface& interface : interfaces) {
        const bool outgoing = interface.index == out;
        for (const Prefix& own : interface.addresses) {
            if (!own.address.is_v6() || (on_link_only && !outgoing)) {
                continue;
            }
            // Among equals the newest wins: the kernel puts new addresses in front.
            const Score candidate = score(own, outgoing, destination);
            if (!best || candidate > best_score || (candidate == best_score && outgoing)) {
                best = own.address;
                best_score = candidate;
            }
        }
    }
    return best;
}

namespace {

std::optional<IpAddress> first_ipv4(const Interface& interface) {
    for (const Prefix& own : interface.addresses) {
        if (own.address.is_v4()) {
            return own.address;
        }
    }
    return std::nullopt;
}

Score score(const Prefix& candidate, bool outgoing, const IpAddress& destination) {
    constexpr int kTooNarrow = 128;
    const int scope = scope_of(candidate.address);
    return {
        .same = candidate.address == destination,
        .scope = scope >= scope_of(destination) ? -scope : scope - kTooNarrow,
        .outgoing = outgoing,
        .label = label_of(candidate.address) == label_of(destination),
        .prefix = std::min<unsigned>(common_bits(candidate.address, destination), candidate.length),
    };
}

// RFC 4291 2.7: a multicast address names its scope; unicast is link-local or global.
int scope_of(const IpAddress& address) {
    constexpr int kLinkLocal = 2;
    constexpr int kGlobal = 14;
    if (address.is_multicast()) {
        return static_cast<int>(address.words[0] >> 16 & 0xf);
    }
    return address.is_link_local() || address.is_loopback() ? kLinkLocal : kGlobal;
}

// RFC 6724 2.1: the rows of the kernel's default policy table that senders have addresses of. The
// first that matches counts.
unsigned label_of(const IpAddress& address) {
    struct Row {
        Prefix prefix;
        unsigned label;
    };
    static constexpr std::array<Row, 5> kRows = {{
        {{IpAddress::v6(0, 0, 0, 1), 128}, 0},
        {{IpAddress::v6(0x20010000, 0, 0, 0), 32}, 6},  // Teredo
        {{IpAddress::v6(0x20020000, 0, 0, 0), 16}, 2},  // 6to4
        {{IpAddress::v6(0xfc000000, 0, 0, 0), 7}, 5},
        {{IpAddress::v6(0, 0, 0, 0), 0}, 1},
    }};
    return std::find_if(kRows.begin(), kRows.end(),
                        [&](const Row& row) { return row.prefix.contains(address); })
        ->label;
}

unsigned common_bits(const IpAddress& a, const IpAddress& b) {
    for (unsigned i = 0; i < 4; ++i) {
        if (a.words[i] != b.words[i]) {
            return 32 * i + static_cast<unsigned>(std::countl_zero(a.words[i] ^ b.words[i]));
        }
    }
    return 128;
}

}  // namespace

}  // namespace nsr::routing
