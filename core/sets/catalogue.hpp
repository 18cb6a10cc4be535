// Catalogue: which sets there are, as a value that may be looked at anywhere.
#pragma once

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

}  // namespace nsr::sets
