// Reading SIP (RFC 3261) and SDP (RFC 8866), as much of them as the kernel does: where in a message
// addresses, ports and numbers stand. Pure functions over the text of one message; all offsets
// count from its beginning.
// kernel: the first half of nf_conntrack_sip.c
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/ids.hpp"
#include "core/wire/address.hpp"

namespace nsr::helpers::sip {

enum class Header : std::uint8_t {
    CSeq,
    From,
    To,
    Contact,
    ViaUdp,
    ViaTcp,
    Expires,
    ContentLength,
};

// Lines of a session description.
enum class Line : std::uint8_t { None, Version, Owner, Connection, Media };

enum class Found : std::uint8_t { No, Malformed, Yes };

struct Place {
    Found found = Found::No;
    std::size_t offset = 0;
    std::size_t length = 0;

    [[nodiscard]] bool ok() const { return found == Found::Yes; }
    [[nodiscard]] std::size_t end() const { return offset + length; }
};

// A place where an address and a port stand, or the port that is meant.
struct Uri {
    Place place;
    IpAddress address;
    Port port = 0;
};

// The headers of one name, one after the other, also those of one line with commas between them.
struct Walk {
    std::size_t at = 0;
    bool in_header = false;
};

struct Reader {
    std::string_view text;
    Family family = Family::Ipv4;  // of the addresses that count

    // kernel: ct_sip_get_header
    [[nodiscard]] Place header(Header header, std::size_t from = 0) const;
    // kernel: ct_sip_parse_header_uri
    [[nodiscard]] Uri uri(Header header) const;
    [[nodiscard]] Uri next_uri(Header header, Walk& walk) const;
    // That of a request. kernel: ct_sip_parse_request
    [[nodiscard]] Uri request_uri() const;
    // "maddr=192.0.2.1" behind `from`; `bracketed`: IPv6 stands in brackets. kernel:
    // ct_sip_parse_address_param
    [[nodiscard]] Uri address_parameter(std::string_view name, std::size_t from,
                                        bool bracketed) const;
    struct Numerical {
        Place place;
        std::uint64_t value = 0;
    };
    // "expires=60". kernel: ct_sip_parse_numerical_param
    [[nodiscard]] Numerical number_parameter(std::string_view name, std::size_t from) const;
    // The value of "transport=", up to the next semicolon. kernel: ct_sip_parse_param
    [[nodiscard]] Place parameter(std::string_view name, std::size_t from) const;

    // The first such line behind `from` and before a line `term`. kernel: ct_sip_get_sdp_header
    [[nodiscard]] Place line(Line line, std::size_t from, Line term = Line::None) const;
    // Its address. kernel: ct_sip_parse_sdp_addr
    [[nodiscard]] Uri line_address(Line line, std::size_t from, Line term) const;

    // The number that stands at `offset`.
    [[nodiscard]] std::uint64_t number_at(std::size_t offset) const;

  private:
    [[nodiscard]] Place walk_headers(Header header, Walk& walk) const;
    [[nodiscard]] Place next_header(Header header, std::size_t from) const;
    [[nodiscard]] Uri read_uri(const Place& place) const;
    [[nodiscard]] std::size_t comma_behind(std::size_t from) const;
};

}  // namespace nsr::helpers::sip
