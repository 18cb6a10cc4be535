#include "core/wire/address.hpp"

#include <algorithm>

#include "core/wire/bytes.hpp"

namespace nsr {

namespace {

constexpr unsigned kGroups = 8;
using Groups = std::array<std::uint16_t, kGroups>;

Groups groups_of(const IpAddress& address);
std::string v4_text(std::uint32_t address);
std::string v6_text(const IpAddress& address);
std::optional<std::uint32_t> parse_v4(std::string_view text);
std::optional<IpAddress> parse_v6(std::string_view text);
std::optional<unsigned> parse_decimal(std::string_view text, unsigned max);
void append_hex(std::string& out, unsigned value, unsigned min_digits);

}  // namespace

IpAddress IpAddress::from_wire(Family family, const std::uint8_t* bytes) {
    if (family == Family::Ipv4) {
        return v4(wire::load32(bytes));
    }
    return v6(wire::load32(bytes), wire::load32(bytes + 4), wire::load32(bytes + 8),
              wire::load32(bytes + 12));
}

void IpAddress::to_wire(std::uint8_t* bytes) const {
    const std::size_t count = is_v4() ? 1 : 4;
    for (std::size_t i = 0; i < count; ++i) {
        wire::store32(bytes + 4 * i, words[i]);
    }
}

bool Prefix::contains(const IpAddress& other) const {
    if (address.family != other.family || other.family == Family::None) {
        return false;
    }
    const IpAddress mask = mask_of(address.family, length);
    return (address & mask) == (other & mask);
}

bool Prefix::overlaps(const Prefix& other) const {
    return length <= other.length ? contains(other.address) : other.contains(address);
}

Prefix Prefix::network() const {
    return {address & mask_of(address.family, length), length};
}

bool Prefix::has_broadcast(const IpAddress& other) const {
    return address.is_v4() && length < 31 && contains(other) && other == last();
}

IpAddress Prefix::last() const {
    const IpAddress mask = mask_of(address.family, length);
    IpAddress result = address;
    const unsigned count = address.is_v4() ? 1 : 4;
    for (unsigned i = 0; i < count; ++i) {
        result.words[i] |= ~mask.words[i];
    }
    return result;
}

IpAddress mask_of(Family family, unsigned length) {
    IpAddress mask{{}, family};
    const unsigned count = family == Family::Ipv4 ? 1 : 4;
    for (unsigned i = 0; i < count; ++i) {
        const unsigned bits = std::min(length > 32 * i ? length - 32 * i : 0, 32U);
        mask.words[i] = bits == 0 ? 0 : 0xffffffffU << (32 - bits);
    }
    return mask;
}

IpAddress operator&(const IpAddress& a, const IpAddress& b) {
    IpAddress result = a;
    for (unsigned i = 0; i < 4; ++i) {
        result.words[i] &= b.words[i];
    }
    return result;
}

std::string to_string(const IpAddress& address) {
    return address.is_v4() ? v4_text(address.as_v4()) : v6_text(address);
}

std::string to_proc_string(const IpAddress& address) {
    if (address.is_v4()) {
        return v4_text(address.as_v4());
    }
    std::string text;
    for (const std::uint16_t group : groups_of(address)) {
        if (!text.empty()) {
            text += ':';
        }
        append_hex(text, group, 4);
    }
    return text;
}

std::string to_string(const Prefix& prefix) {
    return to_string(prefix.address) + '/' + std::to_string(prefix.length);
}

std::optional<IpAddress> parse_address(std::string_view text) {
    if (text.find(':') != std::string_view::npos) {
        return parse_v6(text);
    }
    if (const auto address = parse_v4(text)) {
        return IpAddress::v4(*address);
    }
    return std::nullopt;
}

std::optional<Prefix> parse_prefix(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address) {
        return std::nullopt;
    }
    if (slash == std::string_view::npos) {
        return Prefix{*address, static_cast<std::uint8_t>(address->bits())};
    }
    const auto length = parse_decimal(text.substr(slash + 1), address->bits());
    if (!length) {
        return std::nullopt;
    }
    return Prefix{*address, static_cast<std::uint8_t>(*length)};
}

namespace {

Groups groups_of(const IpAddress& address) {
    Groups groups{};
    for (unsigned i = 0; i < kGroups; ++i) {
        groups[i] = static_cast<std::uint16_t>(address.words[i / 2] >> (i % 2 == 0 ? 16 : 0));
    }
    return groups;
}

std::string v4_text(std::uint32_t address) {
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) {
        text += std::to_string(address >> shift & 0xff);
        if (shift != 0) {
            text += '.';
        }
    }
    return text;
}

struct ZeroRun {
    unsigned first = kGroups;
    unsigned length = 0;
};

// RFC 5952 4.2: the longest run of at least two zero groups, the first of equals.
ZeroRun longest_zero_run(const Groups& groups) {
    ZeroRun best;
    for (unsigned i = 0; i < kGroups; ++i) {
        unsigned end = i;
        while (end < kGroups && groups[end] == 0) {
            ++end;
        }
        if (end - i >= 2 && end - i > best.length) {
            best = {i, end - i};
        }
        i = std::max(i, end);
    }
    return best;
}

std::string v6_text(const IpAddress& address) {
    const bool v4_mapped = (address.words[0] | address.words[1]) == 0 && address.words[2] == 0xffff;
    if (v4_mapped) {  // RFC 5952 5
        return "::ffff:" + v4_text(address.words[3]);
    }
    const bool v4_compatible =
        (address.words[0] | address.words[1] | address.words[2]) == 0 && address.words[3] > 0xffff;
    if (v4_compatible) {  // as inet_ntop writes it
        return "::" + v4_text(address.words[3]);
    }
    const Groups groups = groups_of(address);
    const ZeroRun run = longest_zero_run(groups);
    std::string text;
    for (unsigned i = 0; i < kGroups; ++i) {
        if (i == run.first) {
            text += "::";
            i += run.length - 1;
            continue;
        }
        if (!text.empty() && text.back() != ':') {
            text += ':';
        }
        append_hex(text, groups[i], 1);
    }
    return text;
}

void append_hex(std::string& out, unsigned value, unsigned min_digits) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    for (unsigned digit = 4; digit > 0; --digit) {
        const unsigned shift = 4 * (digit - 1);
        if (value >> shift != 0 || digit <= min_digits) {
            out += kDigits[value >> shift & 0xf];
        }
    }
}

// Decimal without sign, blanks or leading zeros.
std::optional<unsigned> parse_decimal(std::string_view text, unsigned max) {
    if (text.empty() || text.size() > 3 || (text.size() > 1 && text[0] == '0')) {
        return std::nullopt;
    }
    unsigned value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') {
            return std::nullopt;
        }
        value = value * 10 + static_cast<unsigned>(c - '0');
    }
    return value <= max ? std::optional(value) : std::nullopt;
}

std::optional<std::uint32_t> parse_v4(std::string_view text) {
    std::uint32_t address = 0;
    for (int part = 0; part < 4; ++part) {
        const std::size_t dot = text.find('.');
        if ((dot == std::string_view::npos) != (part == 3)) {
            return std::nullopt;
        }
        const auto byte = parse_decimal(text.substr(0, dot), 255);
        if (!byte) {
            return std::nullopt;
        }
        address = address << 8 | *byte;
        text.remove_prefix(part == 3 ? text.size() : dot + 1);
    }
    return address;
}

std::optional<std::uint16_t> parse_group(std::string_view text) {
    if (text.empty() || text.size() > 4) {
        return std::nullopt;
    }
    unsigned value = 0;
    for (const char c : text) {
        unsigned digit = 0;
        if (c >= '0' && c <= '9') {
            digit = static_cast<unsigned>(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = static_cast<unsigned>(c - 'a' + 10);
        } else if (c >= 'A' && c <= 'F') {
            digit = static_cast<unsigned>(c - 'A' + 10);
        } else {
            return std::nullopt;
        }
        value = value << 4 | digit;
    }
    return static_cast<std::uint16_t>(value);
}

struct GroupList {
    Groups groups{};
    unsigned count = 0;

    bool add(std::uint16_t group) {
        if (count == kGroups) {
            return false;
        }
        groups[count++] = group;
        return true;
    }
};

// "a:b:c" or "a:b:1.2.3.4"; the empty text is an empty list.
std::optional<GroupList> parse_groups(std::string_view text, bool dotted_end_allowed) {
    GroupList list;
    while (!text.empty()) {
        const std::size_t colon = text.find(':');
        const std::string_view word = text.substr(0, colon);
        const bool last = colon == std::string_view::npos;
        if (last && dotted_end_allowed && word.find('.') != std::string_view::npos) {
            const auto address = parse_v4(word);
            if (!address || !list.add(static_cast<std::uint16_t>(*address >> 16)) ||
                !list.add(static_cast<std::uint16_t>(*address))) {
                return std::nullopt;
            }
            return list;
        }
        const auto group = parse_group(word);
        if (!group || !list.add(*group)) {
            return std::nullopt;
        }
        if (last) {
            return list;
        }
        text.remove_prefix(colon + 1);
        if (text.empty()) {
            return std::nullopt;
        }
    }
    return list;
}

// RFC 4291 2.2: the three text forms.
std::optional<IpAddress> parse_v6(std::string_view text) {
    const std::size_t gap = text.find("::");
    const bool compressed = gap != std::string_view::npos;
    const auto head = parse_groups(text.substr(0, gap), !compressed);
    const auto tail = parse_groups(compressed ? text.substr(gap + 2) : std::string_view(), true);
    if (!head || !tail) {
        return std::nullopt;
    }
    const unsigned given = head->count + tail->count;
    if (compressed ? given >= kGroups : given != kGroups) {
        return std::nullopt;
    }
    IpAddress address{{}, Family::Ipv6};
    const auto put = [&](unsigned index, std::uint16_t group) {
        address.words[index / 2] |= static_cast<std::uint32_t>(group) << (index % 2 == 0 ? 16 : 0);
    };
    for (unsigned i = 0; i < head->count; ++i) {
        put(i, head->groups[i]);
    }
    for (unsigned i = 0; i < tail->count; ++i) {
        put(kGroups - tail->count + i, tail->groups[i]);
    }
    return address;
}

}  // namespace

}  // namespace nsr
