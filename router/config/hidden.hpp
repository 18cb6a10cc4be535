// A configuration as it may be shown to others: without its token.
#pragma once

#include <string>
#include <string_view>

#include "router/base/text_file.hpp"

namespace nsr::router {

// What stands in the place of a token; long enough to be one.
inline constexpr std::string_view kHiddenToken = "left-out-of-the-bundle";

// `text` with another value of [control] token, however that is written. The error: it is no TOML,
// so nobody knows where the token ends.
Result<std::string, FileError> without_token(std::string_view text, const std::string& path);
// Without these bytes, wherever they stand.
std::string without_bytes(std::string text, std::string_view secret);

}  // namespace nsr::router
