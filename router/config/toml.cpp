#include "router/config/toml.hpp"

#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <algorithm>
#include <optional>

#include "router/config/toml_check.hpp"

namespace nsr::router {
namespace {

SourceLocation place(const toml::source_position& position, const std::string& file) {
    return {file, static_cast<std::uint32_t>(position.line),
            static_cast<std::uint32_t>(position.column)};
}

TomlValue convert(const toml::node& node, const std::string& file);

TomlValue convert_table(const toml::table& table, const std::string& file) {
    TomlValue value;
    for (const auto& [key, child] : table) {
        value.members.push_back(
            {std::string(key.str()), place(key.source().begin, file), convert(child, file)});
    }
    std::stable_sort(value.members.begin(), value.members.end(),
                     [](const TomlMember& a, const TomlMember& b) {
                         return std::pair(a.where.line, a.where.column) <
                                std::pair(b.where.line, b.where.column);
                     });
    return value;
}

TomlValue convert(const toml::node& node, const std::string& file) {
    TomlValue value;
    if (const toml::table* table = node.as_table()) {
        value = convert_table(*table, file);
    } else if (const toml::array* array = node.as_array()) {
        value.kind = TomlKind::Array;
        for (const toml::node& item : *array) {
            value.items.push_back(convert(item, file));
        }
    } else if (const auto* text = node.as_string()) {
        value.kind = TomlKind::String;
        value.text = text->get();
    } else if (const auto* integer = node.as_integer()) {
        value.kind = TomlKind::Integer;
        value.integer = integer->get();
        value.number = static_cast<double>(value.integer);
    } else if (const auto* number = node.as_floating_point()) {
        value.kind = TomlKind::Float;
        value.number = number->get();
    } else if (const auto* boolean = node.as_boolean()) {
        value.kind = TomlKind::Boolean;
        value.boolean = boolean->get();
    } else {
        value.kind = TomlKind::Date;
    }
    value.where = place(node.source().begin, file);
    return value;
}

}  // namespace

std::string_view describe(TomlKind kind) {
    switch (kind) {
        case TomlKind::String:
            return "a string";
        case TomlKind::Integer:
            return "an integer";
        case TomlKind::Float:
            return "a number";
        case TomlKind::Boolean:
            return "a boolean";
        case TomlKind::Array:
            return "an array";
        case TomlKind::Table:
            return "a table";
        case TomlKind::Date:
            break;
    }
    return "a date or time";
}

const TomlMember* TomlValue::find(std::string_view key) const {
    for (const TomlMember& member : members) {
        if (member.key == key) {
            return &member;
        }
    }
    return nullptr;
}

Result<TomlValue, ConfigErrors> parse_toml(std::string_view text, const std::string& file) {
    if (text.size() > kMaxConfigBytes) {
        return ConfigErrors{{{file, 0, 0}, "larger than the limit of 1 MiB"}};
    }
    if (std::optional<ConfigError> error = check_toml_text(text, file)) {
        return ConfigErrors{std::move(*error)};
    }
    try {
        return convert_table(toml::parse(text), file);
    } catch (const toml::parse_error& error) {
        return ConfigErrors{
            {place(error.source().begin, file), "TOML: " + std::string(error.description())}};
    }
}

}  // namespace nsr::router
