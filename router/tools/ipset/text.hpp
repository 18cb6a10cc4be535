// Sets and their elements as ipset(8) writes them.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/sets/sets.hpp"

namespace nsr::router {

// Why no set can have this name, in a sentence; empty: nothing speaks against it. What a set is
// called must be readable in what is saved.
std::string set_name_problem(std::string_view name);
std::string name_text(std::string_view name);  // in quotes if it holds blanks

std::string mark_text(std::uint32_t mark);  // "0x00000063"
std::string mac_text(const sets::MacAddress& mac);
// "10.0.0.0/8,tcp:80"; a member of a list:set by the name that it has in `sets`.
std::string element_text(const sets::Element& element, const sets::SetType& type,
                         const sets::Sets& sets);

// A word and its value, which may be empty ("counters"): ("timeout", "30").
using Attributes = std::vector<std::pair<std::string_view, std::string>>;
// How the set was created.
Attributes header_attributes(const sets::Set& set);
// What is known of an element, in the order in which it is printed.
Attributes element_attributes(const sets::Set::Entry& entry, const sets::SetSpec& spec);
// "timeout 30 counters", each behind a blank.
std::string in_words(const Attributes& attributes);

std::string create_line(std::string_view name, const sets::Set& set);

}  // namespace nsr::router
