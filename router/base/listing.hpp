// Lines that a program printed for people, taken apart again.
#pragma once

#include <string_view>
#include <vector>

namespace nsr::router {

// What blanks and tabs separate. The words live as long as the line.
std::vector<std::string_view> words_of(std::string_view line);

}  // namespace nsr::router
