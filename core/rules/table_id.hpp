// Which tables there are, and at which hooks each has a built-in chain.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/packet/hook.hpp"

namespace nsr::rules {

enum class TableId : std::uint8_t { Raw, Mangle, Nat, Filter, Security };
inline constexpr std::size_t kTableCount = 5;
std::string_view name_of(TableId table);
std::optional<TableId> parse_table(std::string_view name);

// Is there a built-in chain of `table` at `hook`?
bool has_chain(TableId table, Hook hook);

// Bits of masks of hooks and of tables.
constexpr std::uint8_t bit(Hook hook) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(hook));
}
constexpr std::uint8_t bit(TableId table) {
    return static_cast<std::uint8_t>(1u << static_cast<unsigned>(table));
}
inline constexpr std::uint8_t kAllHooks = 0x1f;
inline constexpr std::uint8_t kAllTables = 0x1f;

}  // namespace nsr::rules
