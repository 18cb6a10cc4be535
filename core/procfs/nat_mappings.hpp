// What looks like what outside: every translated connection, by mapping where its rule says how its
// NAT behaves, and which ports are in use. Both are read piece by piece: a million connections do
// not stall the router.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "core/procfs/file.hpp"

namespace nsr::procfs {

// Lines with this endpoint, inside or outside; what is not set is any.
struct MappingFilter {
    std::uint8_t protocol = 0;  // 0: any
    std::optional<IpAddress> address;
    std::optional<std::uint16_t> port;  // or id
};

std::unique_ptr<Cursor> open_nat_mappings(const Context& context, const MappingFilter& filter);

// What rules allow for the sources that they translate, looked up once for each rule.
class SourceRanges {
  public:
    explicit SourceRanges(const Router& router) : router_(router) {}
    // Null: the rule is gone, or translates no sources. A look-up in the rules takes from `looks`
    // what it costs in connections looked at.
    const nat::Range* find(RuleId rule, std::size_t& looks);

  private:
    const Router& router_;
    std::map<RuleId, std::optional<nat::Range>> known_;
};

}  // namespace nsr::procfs
