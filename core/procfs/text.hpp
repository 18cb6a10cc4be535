// Numbers as columns of text. kernel: seq_printf with %u, %7llu, %08x, %-32s
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace nsr::procfs::text {

// Digits of `value`, with `fill` before them up to `width`.
inline void append(std::string& out, std::uint64_t value, std::size_t width = 0, char fill = ' ',
                   int base = 10) {
    char digits[20];
    const char* end = std::to_chars(digits, digits + sizeof(digits), value, base).ptr;
    const auto length = static_cast<std::size_t>(end - digits);
    out.append(width > length ? width - length : 0, fill);
    out.append(digits, length);
}

inline void append_hex(std::string& out, std::uint32_t value, std::size_t width) {
    append(out, value, width, '0', 16);
}

// `text`, with blanks behind it up to `width`.
inline void append_left(std::string& out, std::string_view text, std::size_t width) {
    out.append(text);
    out.append(width > text.size() ? width - text.size() : 0, ' ');
}

// `text`, with blanks before it up to `width`.
inline void append_right(std::string& out, std::string_view text, std::size_t width) {
    out.append(width > text.size() ? width - text.size() : 0, ' ');
    out.append(text);
}

inline std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n";
    const std::size_t begin = text.find_first_not_of(kBlanks);
    if (begin == std::string_view::npos) {
        return {};
    }
    return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace nsr::procfs::text
