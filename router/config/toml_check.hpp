// A look at TOML text before the library sees it.
//
// The library's behaviour is undefined for some malformed input: a table header without a name
// ("[&"), bare values that only begin like a number or a date, endless nesting. All of that is
// refused here, by a walk that knows strings, comments and brackets; everything else that is wrong
// is left to the library, which says it better.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/config_error.hpp"

namespace nsr::router {

inline constexpr unsigned kMaxTomlDepth = 32;

std::optional<ConfigError> check_toml_text(std::string_view text, const std::string& file);

}  // namespace nsr::router
