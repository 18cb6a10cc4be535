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

// The first character of a text that is not empty. Overlong forms and surrogates are no UTF-8.
Character first_of(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text[0]);
    const std::size_t bytes = lead < 0x80   ? 1
                              : lead < 0xc2 ? 0
                              : lead < 0xe0 ? 2
                              : lead < 0xf0 ? 3
                              : lead < 0xf5 ? 4
                                            : 0;
    if (bytes < 2 || bytes > text.size()) {
        return {lead, bytes == 1 ? std::size_t{1} : 0};
    }
    std::uint32_t code = lead & (0xffu >> (bytes + 1));
    for (std::size_t i = 1; i < bytes; ++i) {
        if (!is_continuation(text[i])) {
            return {};
        }
        code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3fu);
    }
    const bool overlong = (bytes == 3 && code < 0x800) || (bytes == 4 && code < 0x10000);
    const bool beyond = code > 0x10ffff || (code >= 0xd800 && code < 0xe000);
    return overlong || beyond ? Character{} : Character{code, bytes};
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
