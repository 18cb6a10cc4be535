#include "core/rules/words/text.hpp"

#include <algorithm>
#include <bit>
#include <charconv>

namespace nsr::rules {

namespace {

int digit_of(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return 99;
}

// "10.1" is 10.1.0.0; a mask must be complete.
std::optional<IpAddress> parse_dotted(std::string_view text, bool complete) {
    std::uint32_t value = 0;
    const auto parts = split(text, '.');
    if (parts.size() > 4 || (complete && parts.size() != 4)) {
        return std::nullopt;
    }
    for (const std::string_view part : parts) {
        unsigned octet = 0;
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), octet);
        if (error != std::errc{} || end != part.data() + part.size() || octet > 255) {
            return std::nullopt;
        }
        value = value << 8 | octet;
    }
    return IpAddress::v4(value << 8 * (4 - parts.size()));
}

std::optional<IpAddress> parse_mask(std::string_view text, Family family) {
    const unsigned bits = family == Family::Ipv4 ? 32 : 128;
    unsigned length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (error == std::errc{} && end == text.data() + text.size()) {
        return length <= bits ? std::optional(mask_of(family, length)) : std::nullopt;
    }
    if (family == Family::Ipv4) {
        return parse_dotted(text, true);
    }
    const auto mask = parse_address(text);
    return mask && mask->is_v6() ? mask : std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t max) {
    unsigned base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.size() > 1 && text[0] == '0') {
        base = 8;
        text.remove_prefix(1);
    }
    if (text.empty()) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    for (const char c : text) {
        const auto digit = static_cast<unsigned>(digit_of(c));
        if (digit >= base || value > (max - digit) / base) {
            return std::nullopt;
        }
        value = value * base + digit;
    }
    return value <= max ? std::optional(value) : std::nullopt;
}

std::optional<NumberRange> parse_range(std::string_view text, std::uint64_t max, char separator) {
    const std::size_t at = text.find(separator);
    NumberRange range{0, max};
    const std::string_view first = text.substr(0, at);
    if (!first.empty() || at == std::string_view::npos) {
        const auto low = parse_number(first, max);
        if (!low) {
            return std::nullopt;
        }
        range = {*low, at == std::string_view::npos ? *low : max};
    }
    if (at != std::string_view::npos && at + 1 < text.size()) {
        const auto high = parse_number(text.substr(at + 1), max);
        if (!high) {
            return std::nullopt;
        }
        range.high = *high;
    }
    return range.low <= range.high ? std::optional(range) : std::nullopt;
}

std::optional<PortRange> parse_port_range(std::string_view text, char separator) {
    const std::size_t at = text.find(separator);
    PortRange range;
    const std::string_view first = text.substr(0, at);
    if (!first.empty() || at == std::string_view::npos) {
        const auto low = parse_port(first);
        if (!low) {
            return std::nullopt;
        }
        range.low = *low;
        range.high = at == std::string_view::npos ? *low : 0xffff;
    }
    if (at != std::string_view::npos && at + 1 < text.size()) {
        const auto high = parse_port(text.substr(at + 1));
        if (!high) {
            return std::nullopt;
        }
        range.high = *high;
    }
    return range.low <= range.high ? std::optional(range) : std::nullopt;
}

std::string to_string(const PortRange& range, char separator) {
    std::string text = std::to_string(range.low);
    if (range.high != range.low) {
        text += separator + std::to_string(range.high);
    }
    return text;
}

std::optional<MarkMask> parse_mark(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto value = parse_number(text.substr(0, slash), 0xffffffff);
    auto mask = std::optional<std::uint64_t>(0xffffffff);
    if (slash != std::string_view::npos) {
        mask = parse_number(text.substr(slash + 1), 0xffffffff);
    }
    if (!value || !mask) {
        return std::nullopt;
    }
    return MarkMask{static_cast<std::uint32_t>(*value), static_cast<std::uint32_t>(*mask)};
}

std::string to_string(const MarkMask& mark) {
    return mark.mask == 0xffffffff ? hex(mark.value) : hex(mark.value) + "/" + hex(mark.mask);
}

std::string hex(std::uint64_t value) {
    char digits[16];
    const auto end = std::to_chars(digits, digits + sizeof digits, value, 16).ptr;
    return "0x" + std::string(digits, end);
}

std::string hex2(std::uint8_t value) {
    return (value < 16 ? "0x0" : "0x") + hex(value).substr(2);
}

bool MaskedAddress::matches(const IpAddress& other) const {
    return (other & mask) == address;
}

std::optional<MaskedAddress> parse_masked_address(std::string_view text, Family family) {
    const std::size_t slash = text.find('/');
    const std::string_view host = text.substr(0, slash);
    std::optional<IpAddress> address;
    if (family == Family::Ipv4) {
        address = parse_dotted(host, false);
    } else if (address = parse_address(host); address && !address->is_v6()) {
        return std::nullopt;
    }
    std::optional<IpAddress> mask = mask_of(family, family == Family::Ipv4 ? 32 : 128);
    if (slash != std::string_view::npos) {
        mask = parse_mask(text.substr(slash + 1), family);
    }
    if (!address || !mask) {
        return std::nullopt;
    }
    return MaskedAddress{*address & *mask, *mask};
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

namespace {

std::string escaped(std::string_view text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\' || c == '\'') {
            result += '\\';
        }
        result += c;
    }
    return result + "\"";
}

}  // namespace

std::string quoted(std::string_view text) {
    constexpr std::string_view kPlain =
        "_-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    const bool plain = !text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos;
    return plain ? std::string(text) : escaped(text);
}

// differs: saved-text-is-read-back
std::string whole_word(std::string_view text) {
    const bool whole =
        !text.empty() && text != "!" && text.find_first_of(" \t\r\"") == std::string_view::npos;
    return whole ? std::string(text) : escaped(text);
}

}  // namespace nsr::rules
