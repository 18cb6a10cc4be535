#include "core/base/printable.hpp"

#include <cstddef>
#include <cstdint>

namespace nsr {
namespace {

constexpr std::size_t kMaxMessage = 600;
constexpr std::size_t kMaxEnd = 120;

struct Character {
    std::uint32_t code = 0;
    std::size_t bytes = 0;  // 0: not UTF-8
};

bool is_continuation(char c) {
    return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

// How long a character is that begins with this byte; 0: none does.
std::size_t length_by(unsigned char lead) {
    struct Row {
        unsigned below;
        std::size_t bytes;
    };
    constexpr Row kRows[] = {{0x80, 1}, {0xc2, 0}, {0xe0, 2}, {0xf0, 3}, {0xf5, 4}};
    for (const Row& row : kRows) {
        if (lead < row.below) {
            return row.bytes;
        }
    }
    return 0;
}

// Overlong forms and surrogates are no UTF-8.
bool is_possible(const Character& c) {
    const bool overlong = (c.bytes == 3 && c.code < 0x800) || (c.bytes == 4 && c.code < 0x10000);
    return !overlong && c.code <= 0x10ffff && (c.code < 0xd800 || c.code >= 0xe000);
}

// The first character of a text that is not empty.
Character first_of(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text[0]);
    const std::size_t bytes = length_by(lead);
    if (bytes > text.size() || bytes == 0) {
        return {};
    }
    if (bytes == 1) {
        return {lead, 1};
    }
    std::uint32_t code = lead & (0xffu >> (bytes + 1));
    for (std::size_t i = 1; i < bytes; ++i) {
        if (!is_continuation(text[i])) {
            return {};
        }
        code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
    }
    const Character found{code, bytes};
    return is_possible(found) ? found : Character{};
}

bool is_obeyed(std::uint32_t code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

void append_code(std::string& out, char kind, std::uint32_t code, int digits) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    out += '\\';
    out += kind;
    for (int i = digits - 1; i >= 0; --i) {
        out += kDigits[code >> (4 * i) & 15];
    }
}

}  // namespace

std::string printable(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const Character c = first_of(text);
        if (c.bytes == 0) {
            append_code(out, 'x', static_cast<unsigned char>(text[0]), 2);
        } else if (!is_obeyed(c.code)) {
            out += text.substr(0, c.bytes);
        } else if (c.code == '\n' || c.code == '\t') {
            out += c.code == '\n' ? "\\n" : "\\t";
        } else {
            const bool byte = c.code < 0x80;
            append_code(out, byte ? 'x' : 'u', c.code, byte ? 2 : 4);
        }
        text.remove_prefix(c.bytes == 0 ? 1 : c.bytes);
    }
    return out;
}

std::string printable_message(std::string_view text) {
    std::string message = printable(text);
    if (message.size() <= kMaxMessage) {
        return message;
    }
    std::size_t from = kMaxMessage - kMaxEnd;
    std::size_t to = message.size() - kMaxEnd;
    while (is_continuation(message[from])) {
        --from;
    }
    while (is_continuation(message[to])) {
        ++to;
    }
    return message.replace(from, to - from, " [...] ");
}

}  // namespace nsr
