#include "core/helpers/sip/scan.hpp"

#include <algorithm>

#include "core/helpers/call/call.hpp"

namespace nsr::helpers::sip {

namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

// Four numbers up to 255 with dots between them; whatever follows ends them. kernel: in4_pton
Address read_v4(std::string_view text) {
    std::uint32_t address = 0;
    std::size_t at = 0;
    for (int i = 0; i < 4; ++i) {
        const Number number = leading_number(text.substr(std::min(at, text.size()), 4));
        if (number.length == 0 || number.value > 0xff) {
            return {};
        }
        address = address << 8 | static_cast<std::uint32_t>(number.value);
        at += number.length;
        const bool dot = at < text.size() && text[at] == '.';
        if (dot != (i < 3)) {
            return {};
        }
        at += dot ? 1 : 0;
    }
    return {IpAddress::v4(address), at};
}

// kernel: in6_pton
Address read_v6(std::string_view text) {
    const std::size_t length = run_length(text, 0, [](char c) {
        return is_digit(c) || c == ':' || c == '.' || (lower(c) >= 'a' && lower(c) <= 'f');
    });
    const auto address = parse_address(text.substr(0, length));
    const bool good = address && address->family == Family::Ipv6;
    return good ? Address{*address, length} : Address{};
}

// Behind the line break at `at`, if the line goes on there; else nowhere. kernel:
// sip_follow_continuation
std::size_t follow_continuation(std::string_view text, std::size_t at, std::size_t limit) {
    if (++at >= limit) {
        return kNowhere;
    }
    if (text[at - 1] == '\r' && text[at] == '\n' && ++at >= limit) {
        return kNowhere;
    }
    if (!is_blank(text[at])) {
        return kNowhere;
    }
    while (at < limit && is_blank(text[at])) {
        ++at;
    }
    return at;
}

}  // namespace

bool begins_with(std::string_view text, std::string_view word) {
    return text.size() >= word.size() &&
           std::equal(word.begin(), word.end(), text.begin(),
                      [](char a, char b) { return lower(a) == lower(b); });
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
    while (at < text.size() && is_blank(text[at])) {
        ++at;
    }
    return at < text.size() && ends_line(text[at]) ? follow_continuation(text, at, text.size())
                                                   : at;
}

std::size_t search(std::string_view text, std::size_t at, std::string_view needle) {
    if (text.size() < needle.size()) {
        return kNowhere;
    }
    const std::size_t limit = text.size() - needle.size();
    while (at < limit) {
        if (ends_line(text[at])) {
            at = follow_continuation(text, at, limit);
            if (at == kNowhere) {
                return kNowhere;
            }
            ++at;
        } else if (begins_with(text.substr(at), needle)) {
            return at;
        } else {
            ++at;
        }
    }
    return kNowhere;
}

std::size_t next_line(std::string_view text, std::size_t at) {
    if (++at >= text.size()) {
        return kNowhere;
    }
    if (text[at - 1] == '\r' && text[at] == '\n' && ++at >= text.size()) {
        return kNowhere;
    }
    return at;
}

Address read_plain(std::string_view text, Family family) {
    return family == Family::Ipv4 ? read_v4(text) : read_v6(text);
}

Address read_address(std::string_view text, Family family, bool bracketed) {
    if (family == Family::Ipv4) {
        return read_v4(text);
    }
    const bool open = text.starts_with('[');
    Address found = read_v6(text.substr(open ? 1 : 0));
    if (found.length == 0) {
        return {};
    }
    found.length += open ? 1 : 0;
    const bool close = found.length < text.size() && text[found.length] == ']';
    found.length += close ? 1 : 0;
    return bracketed && !(open && close) ? Address{} : found;
}

Extent digits(std::string_view text, Family /*family*/) {
    return {0, run_length(text, 0, is_digit)};
}

Extent endpoint(std::string_view text, Family family) {
    std::size_t length = read_address(text, family, true).length;
    if (length != 0 && length < text.size() && text[length] == ':') {
        ++length;
        length += run_length(text, length, is_digit);
    }
    return {0, length};
}

Extent endpoint_of_user(std::string_view text, Family family) {
    const std::size_t user = run_length(text, 0, [](char c) { return c != '@' && !ends_line(c); });
    const bool named = user < text.size() && text[user] == '@';
    const std::size_t skipped = named ? user + 1 : 0;
    return {skipped, endpoint(text.substr(skipped), family).length};
}

Extent plain_address(std::string_view text, Family family) {
    return {0, read_plain(text, family).length};
}

Extent media(std::string_view text, Family /*family*/) {
    const std::size_t type = run_length(text, 0, is_letter);
    if (type >= text.size() || text[type] != ' ') {
        return {};
    }
    return {0, type + 1 + run_length(text, type + 1, is_digit)};
}

}  // namespace nsr::helpers::sip
