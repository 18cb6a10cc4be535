// Texts without the addresses and remarks that are in them: configurations, rules, sets, listings,
// logs, JSON.
//
// Addresses are found wherever they stand as words of their own: with a port, a prefix length or a
// mask, in brackets, as ranges. What people have written beside (comments of files, of rules and of
// elements of sets) is left out. Names stay: interfaces, namespaces, chains, sets.
#pragma once

#include <string>
#include <string_view>

#include "router/bundle/anonymizer.hpp"

namespace nsr::router {

// Networks in `text` that somebody has an address in ("10.0.1.1/24"): their ends stay ends.
void keep_networks(std::string_view text, Anonymizer& anonymizer);

// Ranges of addresses in `text`: their order is kept from here on. What cannot be kept, in a
// sentence that begins with `name` and the line; empty: nothing. So do rules that have addresses in
// numbers (u32, bpf, string), which nobody would find.
std::string keep_ranges(std::string_view text, const std::string& name, Anonymizer& anonymizer);

std::string anonymous_text(std::string_view text, const Anonymizer& anonymizer);

// A TOML file, and any other one whose comments are lines with #.
std::string without_toml_comments(std::string_view text);
std::string without_comment_lines(std::string_view text);

}  // namespace nsr::router
