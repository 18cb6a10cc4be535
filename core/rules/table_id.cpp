#include "core/rules/table_id.hpp"

#include <algorithm>
#include <array>

namespace nsr::rules {

namespace {

constexpr std::array<std::string_view, kTableCount> kTableNames = {"raw", "mangle", "nat", "filter",
                                                                   "security"};

// Bit per Hook. kernel: valid_hooks of each table
constexpr std::array<std::uint8_t, kTableCount> kTableHooks = {
    bit(Hook::Prerouting) | bit(Hook::Output),
    kAllHooks,
    bit(Hook::Prerouting) | bit(Hook::Input) | bit(Hook::Output) | bit(Hook::Postrouting),
    bit(Hook::Input) | bit(Hook::Forward) | bit(Hook::Output),
    bit(Hook::Input) | bit(Hook::Forward) | bit(Hook::Output),
};

}  // namespace

std::string_view name_of(TableId table) {
    return kTableNames[static_cast<std::size_t>(table)];
}

std::optional<TableId> parse_table(std::string_view name) {
    const auto* found = std::find(kTableNames.begin(), kTableNames.end(), name);
    if (found == kTableNames.end()) {
        return std::nullopt;
    }
    return static_cast<TableId>(found - kTableNames.begin());
}

bool has_chain(TableId table, Hook hook) {
    return (kTableHooks[static_cast<std::size_t>(table)] & bit(hook)) != 0;
}

}  // namespace nsr::rules
