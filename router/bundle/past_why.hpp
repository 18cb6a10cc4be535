// What the recorder of a bundled router kept, asked as a running one is.
#pragma once

#include <cstddef>
#include <string>

#include "core/base/result.hpp"
#include "router/base/text_file.hpp"
#include "router/bundle/bundle.hpp"
#include "router/observe/filter.hpp"

namespace nsr::router {

// The last so many records that fit (0: all), the oldest first, as text or as an object a line. The
// error says what of the bundle cannot be read.
Result<std::string, FileError> why_of(const Bundle& bundle, const Filter& filter, std::size_t last,
                                      bool as_json);

}  // namespace nsr::router
