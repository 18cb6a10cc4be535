// Text from files, captures and the network, made fit for a terminal.
#pragma once

#include <string>
#include <string_view>

namespace nsr {

// What a terminal would obey rather than show is written as its code: control characters as \n, \t
// or \x1b, those of Unicode (with what turns the direction of writing) as \u202e, and bytes that
// are no UTF-8 as \xff. All else stays as it is.
std::string printable(std::string_view text);

// The same for a message, which names what it complains about, however long that may be: beyond 600
// bytes its middle is left out. The beginning says what is wrong, the end what to do.
std::string printable_message(std::string_view text);

}  // namespace nsr
