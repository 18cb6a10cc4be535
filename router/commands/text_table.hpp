// JSON that the router answers, as tables for people.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

namespace nsr::router {

using TextRow = std::vector<std::string>;

// Columns as wide as their widest cell, two blanks between them; the first row is the heading.
std::string text_table(const std::vector<TextRow>& rows);

// Strings without their quotes, all else as JSON.
std::string text_of(const boost::json::value& value);
// "1.5 MiB"; throws std::exception if it is no number.
std::string bytes(const boost::json::value& value);

}  // namespace nsr::router
