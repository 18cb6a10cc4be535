#include "core/rules/words/addresses.hpp"

#include <bit>

#include "core/base/words.hpp"
#include "core/rules/words/numbers.hpp"

namespace nsr::rules {

namespace {

constexpr unsigned bits_of(Family family) {
    return family == Family::Ipv6 ? 128 : 32;
}

// "10.1" is 10.1.0.0; a mask must be complete.
std::optional<IpAddress> parse_dotted(std::string_view text, bool complete) {
    std::uint32_t value = 0;
    const auto parts = split(text, '.');
    if (parts.size() > 4 || (complete && parts.size() != 4)) {
        return std::nullopt;
    }
    for (const std::string_view part : parts) {
        const auto octet = parse_number(part, 255);
        if (!octet) {
            return std::nullopt;
        }
        value = value << 8 | static_cast<std::uint32_t>(*octet);
    }
    return IpAddress::v4(value << 8 * (4 - parts.size()));
}

// "10.1" is 10.0.0.1: the last number fills what is left. libc: inet_aton
std::optional<IpAddress> parse_classful(std::string_view text) {
    std::uint32_t value = 0;
    const auto parts = split(text, '.');
    if (parts.size() > 4) {
        return std::nullopt;
    }
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const bool last = i + 1 == parts.size();
        const unsigned bits = last ? static_cast<unsigned>(8 * (5 - parts.size())) : 8;
        const bool digit = !parts[i].empty() && parts[i][0] >= '0' && parts[i][0] <= '9';
        const auto number =
            digit ? parse_number(parts[i], (std::uint64_t{1} << bits) - 1) : std::nullopt;
        if (!number) {
            return std::nullopt;
        }
        value = bits == 32 ? static_cast<std::uint32_t>(*number)
                           : value << bits | static_cast<std::uint32_t>(*number);
    }
    return IpAddress::v4(value);
}

std::optional<IpAddress> parse_v6(std::string_view text) {
    const auto address = parse_address(text);
    return address && address->is_v6() ? address : std::nullopt;
}

std::optional<IpAddress> parse_mask(std::string_view text, Family family) {
    const auto whole = family == Family::Ipv6 ? parse_v6(text) : parse_dotted(text, true);
    if (whole) {
        return whole;
    }
    const auto length = parse_number(text, bits_of(family));
    return length ? std::optional(mask_of(family, static_cast<unsigned>(*length))) : std::nullopt;
}

std::vector<IpAddress> addresses_of(std::string_view text, Family family, const HostNames& names) {
    if (const auto number = parse_numeric_address(text, family)) {
        return {*number};
    }
    if (const auto network = names.network(text); network && family == Family::Ipv4) {
        return {*network};
    }
    // What is no host's name may be a number in fewer parts: "65535" is 0.0.255.255.
    const auto whole = family == Family::Ipv4 ? parse_classful(text) : std::nullopt;
    return whole ? std::vector{*whole} : names.hosts(text, family);
}

}  // namespace

bool MaskedAddress::matches(const IpAddress& other) const {
    return (other & mask) == address;
}

std::vector<MaskedAddress> parse_networks(std::string_view text, Family family,
                                          const HostNames& names) {
    const std::size_t slash = text.rfind('/');
    auto mask = std::optional(mask_of(family, bits_of(family)));
    if (slash != std::string_view::npos) {
        mask = parse_mask(text.substr(slash + 1), family);
    }
    if (!mask) {
        return {};
    }
    std::vector<MaskedAddress> networks;
    if (mask->is_unspecified()) {
        networks.push_back({*mask, *mask});  // whatever the name is: "any/0"
        return networks;
    }
    for (const IpAddress& address : addresses_of(text.substr(0, slash), family, names)) {
        networks.push_back({address & *mask, *mask});
    }
    return networks;
}

std::optional<MaskedAddress> parse_masked_address(std::string_view text, Family family) {
    const auto networks = parse_networks(text, family, {});
    return networks.empty() ? std::nullopt : std::optional(networks.front());
}

std::optional<IpAddress> parse_host(std::string_view text, Family family, const HostNames& names) {
    const auto number = family == Family::Ipv6 ? parse_v6(text) : parse_classful(text);
    if (number) {
        return number;
    }
    const auto hosts = names.hosts(text, family);
    for (const IpAddress& host : hosts) {
        if (host != hosts.front()) {
            return std::nullopt;
        }
    }
    return hosts.empty() ? std::nullopt : std::optional(hosts.front());
}

std::optional<MaskedAddress> parse_host_prefix(std::string_view text, Family family,
                                               const HostNames& names) {
    const std::size_t slash = text.find('/');
    const auto host = parse_host(text.substr(0, slash), family, names);
    const auto length = slash == std::string_view::npos
                            ? std::optional(bits_of(family))
                            : parse_prefix_length(text.substr(slash + 1), family);
    if (!host || !length) {
        return std::nullopt;
    }
    return MaskedAddress{*host, mask_of(family, *length)};
}

std::optional<IpAddress> parse_numeric_address(std::string_view text, Family family) {
    return family == Family::Ipv6 ? parse_v6(text) : parse_dotted(text, false);
}

std::optional<unsigned> parse_prefix_length(std::string_view text, Family family) {
    if (const auto length = parse_number(text, bits_of(family))) {
        return static_cast<unsigned>(*length);
    }
    const auto mask = family == Family::Ipv6 ? parse_v6(text) : parse_classful(text);
    return mask ? prefix_length(*mask) : std::nullopt;
}

std::optional<unsigned> prefix_length(const IpAddress& mask) {
    unsigned length = 0;
    for (unsigned i = 0; i < mask.bits() / 32; ++i) {
        length += static_cast<unsigned>(std::countl_one(mask.words[i]));
        if (mask.words[i] != 0xffffffff) {
            break;
        }
    }
    return mask_of(mask.family, length) == mask ? std::optional(length) : std::nullopt;
}

std::string to_string(const MaskedAddress& address) {
    const auto length = prefix_length(address.mask);
    return nsr::to_string(address.address) + "/" +
           (length ? std::to_string(*length) : nsr::to_string(address.mask));
}

}  // namespace nsr::rules
