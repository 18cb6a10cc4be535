#include "core/helpers/sip/text.hpp"

#include <algorithm>
#include <array>

#include "core/helpers/call/call.hpp"
#include "core/helpers/sip/scan.hpp"

namespace nsr::helpers::sip {

namespace {

constexpr Port kSipPort = 5060;
constexpr std::uint64_t kLeastPort = 1024;

struct HeaderRow {
    std::string_view name;
    std::string_view compact;  // empty: it has none
    std::string_view search;   // what stands before the value; empty: nothing
    Extent (*extent)(std::string_view text, Family family);
};

// By Header.
constexpr std::array<HeaderRow, 8> kHeaders = {{
    {"CSeq", "", "", digits},
    {"From", "f", "sip:", endpoint_of_user},
    {"To", "t", "sip:", endpoint_of_user},
    {"Contact", "m", "sip:", endpoint_of_user},
    {"Via", "v", "UDP ", endpoint},
    {"Via", "v", "TCP ", endpoint},
    {"Expires", "", "", digits},
    {"Content-Length", "l", "", digits},
}};
static_assert(static_cast<std::size_t>(Header::ContentLength) + 1 == kHeaders.size());

struct LineRow {
    std::string_view name;
    bool has_address;
    Extent (*extent)(std::string_view text, Family family);
};

// By Line, from Version on.
constexpr std::array<LineRow, 4> kLines = {{
    {"v=", false, digits},
    {"o=", true, plain_address},
    {"c=", true, plain_address},
    {"m=", false, media},
}};
static_assert(static_cast<std::size_t>(Line::Media) == kLines.size());

const HeaderRow& row_of(Header header) {
    return kHeaders[static_cast<std::size_t>(header)];
}
const LineRow& row_of(Line line) {
    return kLines[static_cast<std::size_t>(line) - 1];
}

// How long the name of the header is that begins at `at`; 0: it is another one. A compact name
// ends where letters do.
std::size_t name_length(std::string_view text, std::size_t at, const HeaderRow& row) {
    const std::string_view rest = text.substr(at);
    if (begins_with(rest, row.name)) {
        return row.name.size();
    }
    const std::size_t compact = row.compact.size();
    const bool short_form = compact != 0 && rest.size() > compact &&
                            begins_with(rest, row.compact) && !is_letter(rest[compact]);
    return short_form ? compact : 0;
}

// In the line of a session description that begins at `at`. kernel: ct_sdp_header_search
std::size_t search_line(std::string_view text, std::size_t at, std::string_view needle) {
    const std::size_t end = at + run_length(text, at, [](char c) { return !ends_line(c); });
    const std::size_t found = text.substr(0, end).find(needle, at);
    return found != kNowhere && found + needle.size() < text.size() ? found : kNowhere;
}

}  // namespace

std::uint64_t Reader::number_at(std::size_t offset) const {
    return leading_number(text.substr(std::min(offset, text.size()))).value;
}

Place Reader::header(Header wanted, std::size_t from) const {
    const HeaderRow& row = row_of(wanted);
    for (std::size_t at = from; at < text.size(); ++at) {
        if (!ends_line(text[at])) {
            continue;
        }
        at = next_line(text, at);
        if (at == kNowhere) {
            break;
        }
        const std::size_t name = is_blank(text[at]) ? 0 : name_length(text, at, row);
        if (name == 0) {
            continue;
        }
        at = skip_blanks(text, at + name);
        if (at >= text.size() || text[at] != ':' || at + 1 >= text.size()) {
            break;
        }
        at = skip_blanks(text, at + 1);
        if (at == kNowhere) {
            break;
        }
        const std::size_t value = row.search.empty() ? at : search(text, at, row.search);
        if (value == kNowhere) {
            return {Found::Malformed, at, 0};
        }
        const std::size_t begin = value + row.search.size();
        const Extent extent = row.extent(text.substr(begin), family);
        if (extent.length == 0) {
            return {Found::Malformed, at, 0};
        }
        return {Found::Yes, begin + extent.skipped, extent.length};
    }
    return {};
}

// The next one of a list with commas. kernel: ct_sip_next_header
Place Reader::next_header(Header wanted, std::size_t from) const {
    const HeaderRow& row = row_of(wanted);
    std::size_t at = search(text, from, ",");
    at = at == kNowhere ? at : search(text, at, row.search);
    if (at == kNowhere) {
        return {};
    }
    at += row.search.size();
    const Extent extent = row.extent(text.substr(at), family);
    if (extent.length == 0) {
        return {Found::Malformed, at, 0};
    }
    return {Found::Yes, at + extent.skipped, extent.length};
}

// kernel: ct_sip_walk_headers
Place Reader::walk_headers(Header wanted, Walk& walk) const {
    while (walk.in_header) {
        const Place place = next_header(wanted, walk.at);
        if (place.ok()) {
            return place;
        }
        walk.in_header = place.found == Found::Malformed;
        walk.at = walk.in_header ? place.offset : walk.at;
    }
    for (;;) {
        const Place place = header(wanted, walk.at);
        walk.in_header = place.ok();
        if (place.found != Found::Malformed) {
            return place;
        }
        walk.at = place.offset;
    }
}

Uri Reader::read_uri(const Place& place) const {
    Uri uri{place, {}, kSipPort};
    const Address found = read_address(text.substr(place.offset), family, true);
    uri.address = found.address;
    if (found.length == 0) {
        uri.place.found = Found::Malformed;
        return uri;
    }
    const std::size_t behind = place.offset + found.length;
    if (behind < text.size() && text[behind] == ':') {
        const Number port = leading_number(text.substr(behind + 1));
        const bool possible = port.value >= kLeastPort && port.value <= 0xffff;
        uri.place.found = possible ? Found::Yes : Found::Malformed;
        uri.port = static_cast<Port>(port.value);
    }
    return uri;
}

Uri Reader::uri(Header wanted) const {
    Walk walk;
    return next_uri(wanted, walk);
}

Uri Reader::next_uri(Header wanted, Walk& walk) const {
    const Place place = walk_headers(wanted, walk);
    if (!place.ok()) {
        return {place, {}, 0};
    }
    Uri uri = read_uri(place);
    if (uri.place.ok()) {
        walk.at = place.end();
    }
    return uri;
}

Uri Reader::request_uri() const {
    constexpr std::string_view kScheme = "sip:";
    std::size_t at = run_length(text, 0, is_letter);
    if (at == 0 || ++at >= text.size()) {
        return {};
    }
    for (; at + kScheme.size() < text.size(); ++at) {
        if (ends_line(text[at])) {
            return {};
        }
        if (begins_with(text.substr(at), kScheme)) {
            at += kScheme.size();
            break;
        }
    }
    const Extent extent = endpoint_of_user(text.substr(at), family);
    return extent.length == 0 ? Uri{} : read_uri({Found::Yes, at + extent.skipped, extent.length});
}

std::size_t Reader::comma_behind(std::size_t from) const {
    const std::size_t comma = search(text, from, ",");
    return comma == kNowhere ? text.size() : comma;
}

Uri Reader::address_parameter(std::string_view name, std::size_t from, bool bracketed) const {
    const std::string_view within = text.substr(0, comma_behind(from));
    const std::size_t at = search(within, from, name);
    if (at == kNowhere) {
        return {};
    }
    const std::size_t begin = at + name.size();
    const Address found = read_address(within.substr(begin), family, bracketed);
    return found.length == 0 ? Uri{} : Uri{{Found::Yes, begin, found.length}, found.address, 0};
}

Reader::Numerical Reader::number_parameter(std::string_view name, std::size_t from) const {
    const std::string_view within = text.substr(0, comma_behind(from));
    const std::size_t at = search(within, from, name);
    if (at == kNowhere) {
        return {};
    }
    const std::size_t begin = at + name.size();
    const Number number = leading_number(text.substr(begin));
    return {{number.length == 0 ? Found::Malformed : Found::Yes, begin, number.length},
            number.value};
}

Place Reader::parameter(std::string_view name, std::size_t from) const {
    const std::string_view within = text.substr(0, comma_behind(from));
    const std::size_t at = search(within, from, name);
    if (at == kNowhere) {
        return {};
    }
    const std::size_t begin = at + name.size();
    const std::size_t end = search(within, begin, ";");
    return {Found::Yes, begin, (end == kNowhere ? within.size() : end) - begin};
}

Place Reader::line(Line wanted, std::size_t from, Line term) const {
    const LineRow& row = row_of(wanted);
    const std::string_view address = family == Family::Ipv4 ? "IN IP4 " : "IN IP6 ";
    for (std::size_t at = from; at < text.size(); ++at) {
        if (!ends_line(text[at])) {
            continue;
        }
        at = next_line(text, at);
        if (at == kNowhere ||
            (term != Line::None && begins_with(text.substr(at), row_of(term).name))) {
            break;
        }
        if (!begins_with(text.substr(at), row.name)) {
            continue;
        }
        at += row.name.size();
        const std::size_t value = row.has_address ? search_line(text, at, address) : at;
        if (value == kNowhere) {
            return {Found::Malformed, at, 0};
        }
        const std::size_t begin = value + (row.has_address ? address.size() : 0);
        const Extent extent = row.extent(text.substr(begin), family);
        return {extent.length == 0 ? Found::Malformed : Found::Yes, begin, extent.length};
    }
    return {};
}

Uri Reader::line_address(Line wanted, std::size_t from, Line term) const {
    const Place place = line(wanted, from, term);
    if (!place.ok()) {
        return {place, {}, 0};
    }
    const Address found = read_plain(text.substr(place.offset, place.length), family);
    return {place, found.address, 0};
}

}  // namespace nsr::helpers::sip
