// Rules of iptables and ip6tables, address sets, and what nft has beside them.
#pragma once

#include <cstddef>
#include <optional>

#include "router/import/draft.hpp"
#include "router/import/dumps.hpp"

namespace nsr::router {

// The rules of nft itself are not read: where there are no others, the answer says what would be
// right, and nothing is imported; else they are left out.
std::optional<ConfigError> add_rules(const Dumps& dumps, Draft& draft);

// How many of a file of rules, or of sets, are left.
std::size_t rules_in(const DraftFile& file);
std::size_t sets_in(const DraftFile& file);

}  // namespace nsr::router
