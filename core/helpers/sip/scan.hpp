// What SIP is made of: characters, lines that go on, addresses, and what may stand at a place.
// Offsets count from the beginning of the text; everything ends where the text does.
// kernel: the beginning of nf_conntrack_sip.c
#pragma once

#include <cstddef>
#include <string_view>

#include "core/wire/address.hpp"

namespace nsr::helpers::sip {

inline constexpr std::size_t kNowhere = std::string_view::npos;

inline bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
inline bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
inline bool is_blank(char c) {
    return c == ' ' || c == '\t';
}
inline bool ends_line(char c) {
    return c == '\r' || c == '\n';
}

// How many characters from `at` on are such ones.
template <class Is>
std::size_t run_length(std::string_view text, std::size_t at, Is is) {
    std::size_t length = 0;
    while (at + length < text.size() && is(text[at + length])) {
        ++length;
    }
    return length;
}

// Does `text` begin with `word`, in whatever case?
bool begins_with(std::string_view text, std::string_view word);

// Behind blanks, and behind the line break if the header goes on in the next line; nowhere if it
// does not. kernel: sip_skip_whitespace
std::size_t skip_blanks(std::string_view text, std::size_t at);
// The needle in the same header, which continuation lines belong to. kernel: ct_sip_header_search
std::size_t search(std::string_view text, std::size_t at, std::string_view needle);
// Where the line behind the line break at `at` begins; nowhere: that was the last one.
std::size_t next_line(std::string_view text, std::size_t at);

struct Address {
    IpAddress address;
    std::size_t length = 0;  // 0: there is none
};
// Without brackets.
Address read_plain(std::string_view text, Family family);
// IPv6 with brackets, or, unless it has to be `bracketed`, without. kernel: sip_parse_addr
Address read_address(std::string_view text, Family family, bool bracketed);

// What stands at the beginning of `text`: its length, and how much before it is skipped.
struct Extent {
    std::size_t skipped = 0;
    std::size_t length = 0;  // 0: it is not there
};
Extent digits(std::string_view text, Family family);
// An address and perhaps a port. kernel: epaddr_len
Extent endpoint(std::string_view text, Family family);
// The same behind the user, if there is one. kernel: skp_epaddr_len
Extent endpoint_of_user(std::string_view text, Family family);
// kernel: sdp_addr_len
Extent plain_address(std::string_view text, Family family);
// "audio 40000". kernel: media_len
Extent media(std::string_view text, Family family);

}  // namespace nsr::helpers::sip
