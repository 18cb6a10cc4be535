#include "core/rules/language/missing.hpp"

#include <algorithm>
#include <iterator>

namespace nsr::rules {

namespace {

// Kinds of match and target of iptables that have no row.
constexpr std::string_view kMissing[] = {
    "rateest", "set", "CLUSTERIP", "RATEEST", "SET", "SYNPROXY", "TEE", "ULOG",
};

}  // namespace

bool is_missing_module(std::string_view name) {
    return std::find(std::begin(kMissing), std::end(kMissing), name) != std::end(kMissing);
}

}  // namespace nsr::rules
