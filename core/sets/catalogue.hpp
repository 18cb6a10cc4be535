// Catalogue: which sets there are, and References: which of them are in use, as values that may be
// looked at anywhere.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "core/wire/address.hpp"

namespace nsr::sets {

struct Summary {
    std::string_view type;  // "hash:ip"
    Family family = Family::None;
};
using Catalogue = std::map<std::string, Summary, std::less<>>;

// How often rules name each set. kernel: ip_set.ref
using References = std::map<std::string, std::size_t, std::less<>>;

}  // namespace nsr::sets
