#include "core/base/utf8.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

namespace nsr {

namespace {

struct Lead {
    std::uint8_t first;
    std::uint8_t last;
    std::uint8_t bytes;
    std::uint8_t low;  // bounds of the second byte
    std::uint8_t high;
};
// RFC 3629, section 4
constexpr auto kLeads = std::to_array<Lead>({{0x00, 0x7f, 1, 0, 0},
                                             {0xc2, 0xdf, 2, 0x80, 0xbf},
                                             {0xe0, 0xe0, 3, 0xa0, 0xbf},
                                             {0xe1, 0xec, 3, 0x80, 0xbf},
                                             {0xed, 0xed, 3, 0x80, 0x9f},
                                             {0xee, 0xef, 3, 0x80, 0xbf},
                                             {0xf0, 0xf0, 4, 0x90, 0xbf},
                                             {0xf1, 0xf3, 4, 0x80, 0xbf},
                                             {0xf4, 0xf4, 4, 0x80, 0x8f}});

std::uint8_t byte_at(std::string_view text, std::size_t at) {
    return static_cast<std::uint8_t>(text[at]);
}

bool follows(const Lead& lead, std::string_view text) {
    if (text.size() < lead.bytes) {
        return false;
    }
    for (std::size_t i = 1; i < lead.bytes; ++i) {
        const std::uint8_t low = i == 1 ? lead.low : 0x80;
        const std::uint8_t high = i == 1 ? lead.high : 0xbf;
        if (byte_at(text, i) < low || byte_at(text, i) > high) {
            return false;
        }
    }
    return true;
}

// Bytes of the character that the text begins with; 0: it begins with none.
std::size_t character(std::string_view text) {
    for (const Lead& lead : kLeads) {
        if (byte_at(text, 0) >= lead.first && byte_at(text, 0) <= lead.last) {
            return follows(lead, text) ? lead.bytes : 0;
        }
    }
    return 0;
}

}  // namespace

std::string as_utf8(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t bytes = character(text);
        if (bytes == 0) {
            out += "\xef\xbf\xbd";
        }
        out += text.substr(0, bytes);
        text.remove_prefix(bytes == 0 ? 1 : bytes);
    }
    return out;
}

}  // namespace nsr
