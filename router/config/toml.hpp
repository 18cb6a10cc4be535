// TOML text as a tree in the file's order, every key and value with its place.
//
// The only room that knows the TOML library, which iterates alphabetically; what the library cannot
// be trusted with is refused before (toml_check). Columns count characters, as editors do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/config_error.hpp"
#include "core/base/result.hpp"

namespace nsr::router {

inline constexpr std::size_t kMaxConfigBytes = 1 << 20;

enum class TomlKind : std::uint8_t { String, Integer, Float, Boolean, Array, Table, Date };
// With its article: "a string", "an array".
std::string_view describe(TomlKind kind);

struct TomlMember;

struct TomlValue {
    TomlKind kind = TomlKind::Table;
    SourceLocation where;
    std::string text;                 // String
    std::int64_t integer = 0;         // Integer
    double number = 0;                // Float, and Integer as a double
    bool boolean = false;             // Boolean
    std::vector<TomlValue> items;     // Array
    std::vector<TomlMember> members;  // Table, in the file's order

    [[nodiscard]] const TomlMember* find(std::string_view key) const;
};

struct TomlMember {
    std::string key;
    SourceLocation where;  // of the key
    TomlValue value;
};

Result<TomlValue, ConfigErrors> parse_toml(std::string_view text, const std::string& file);

}  // namespace nsr::router
