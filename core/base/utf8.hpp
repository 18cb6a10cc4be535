// Text for those who take UTF-8 only, as JSON does.
#pragma once

#include <string>
#include <string_view>

namespace nsr {

// `text`, with U+FFFD in the place of each byte that belongs to no character. RFC 3629
std::string as_utf8(std::string_view text);

}  // namespace nsr
