// How -L shows matches and targets, made of how iptables-save writes them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "router/tools/iptables/saved_rule.hpp"
#include "router/tools/iptables/special_text.hpp"

namespace nsr::router {

// With the blank before it; what nobody has a text for is shown as it is saved.
std::string match_text(const SavedPart& match, const TextStyle& style);
std::string target_text(const SavedPart& target, const TextStyle& style);

// A row of the tables in extension_rows.cpp. Rows of a module stand together, in the order in which
// their texts are shown; one without an option is shown always, before them.
//   %1 %2  values        %B  "! " if inverted     %b  "!" if inverted     %S  "! " or " "
//   %Q  "!=" or "=="     %E  "!=" or "="          %r  "s" if %1 is a range
//   %q  %1 quoted        %d  %1 with - for ,
struct ExtensionRow {
    std::string_view module;
    std::string_view option;
    std::string_view text;
    std::string_view otherwise = {};  // if the option is not there
};
using RowTables = std::span<const std::span<const ExtensionRow>>;
RowTables match_rows();
RowTables target_rows();

}  // namespace nsr::router
