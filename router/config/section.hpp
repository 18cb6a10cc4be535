// Typed access to one TOML table: every key that is asked for is known, the rest is reported.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/words.hpp"
#include "router/config/config.hpp"
#include "router/config/toml.hpp"

namespace nsr::router {

// `; did you mean "x"?` or, without a near one, `; known: a, b, c`.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);

class Section {
  public:
    // `name` as errors call it: "[router]". `table` null: the section is absent, nothing is found.
    Section(const TomlValue* table, std::string name, ConfigErrors& errors)
        : table_(table), name_(std::move(name)), errors_(errors) {}

    // Each leaves `into` alone if the key is absent, and reports a wrong type or range. True: read.
    bool string(std::string_view key, std::string& into);
    bool boolean(std::string_view key, bool& into);
    bool integer(std::string_view key, std::pair<std::int64_t, std::int64_t> range,
                 std::int64_t& into);
    bool seconds(std::string_view key, Duration& into);
    bool strings(std::string_view key, std::vector<Located<std::string>>& into);
    // The index of the value among `words`.
    std::optional<std::size_t> one_of(std::string_view key, const std::vector<std::string>& words);
    // A sub-table, or an array of tables; a wrong type is reported and null or empty returned.
    const TomlValue* table(std::string_view key);
    std::vector<const TomlValue*> tables(std::string_view key);

    // The member, whatever its type; marks the key as known.
    const TomlMember* take(std::string_view key);
    // Of the value of `key`, if it is given.
    SourceLocation where_of(std::string_view key, const SourceLocation& otherwise);
    // Reports all keys that nobody asked for.
    void finish();

    void fail(const SourceLocation& where, std::string message) {
        errors_.push_back({where, std::move(message)});
    }
    void wrong_type(const TomlMember& member, std::string_view expected);
    [[nodiscard]] ConfigErrors& errors() { return errors_; }
    [[nodiscard]] const TomlValue* value() const { return table_; }
    [[nodiscard]] SourceLocation where() const {
        return table_ == nullptr ? SourceLocation{} : table_->where;
    }

  private:
    const TomlValue* table_;
    std::string name_;
    ConfigErrors& errors_;
    std::vector<std::string> known_;
};

// Seconds of a TOML number as a duration; nothing if negative, not finite or beyond 100 years.
std::optional<Duration> to_duration(const TomlValue& value);

}  // namespace nsr::router
