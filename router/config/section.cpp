#include "router/config/section.hpp"

#include <algorithm>
#include <cmath>

namespace nsr::router {

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates) {
    const std::string guess = did_you_mean(word, {candidates.begin(), candidates.end()});
    if (!guess.empty()) {
        return guess;
    }
    return candidates.empty() ? "" : "; known: " + join(candidates);
}

bool Section::string(std::string_view key, std::string& into) {
    const TomlMember* member = take(key);
    if (member == nullptr) {
        return false;
    }
    if (member->value.kind != TomlKind::String) {
        wrong_type(*member, "a string");
        return false;
    }
    into = member->value.text;
    return true;
}

bool Section::boolean(std::string_view key, bool& into) {
    const TomlMember* member = take(key);
    if (member == nullptr) {
        return false;
    }
    if (member->value.kind != TomlKind::Boolean) {
        wrong_type(*member, "true or false");
        return false;
    }
    into = member->value.boolean;
    return true;
}

bool Section::integer(std::string_view key, std::pair<std::int64_t, std::int64_t> range,
                      std::int64_t& into) {
    const TomlMember* member = take(key);
    if (member == nullptr) {
        return false;
    }
    const std::string expected =
        "an integer from " + std::to_string(range.first) + " to " + std::to_string(range.second);
    if (member->value.kind != TomlKind::Integer) {
        wrong_type(*member, expected);
        return false;
    }
    if (member->value.integer < range.first || member->value.integer > range.second) {
        fail(member->value.where, member->key + " must be " + expected + ", not " +
                                      std::to_string(member->value.integer));
        return false;
    }
    into = member->value.integer;
    return true;
}

bool Section::seconds(std::string_view key, Duration& into) {
    const TomlMember* member = take(key);
    if (member == nullptr) {
        return false;
    }
    const std::optional<Duration> duration = to_duration(member->value);
    if (!duration) {
        fail(member->value.where, member->key + " must be a number of seconds, 0 or more");
        return false;
    }
    into = *duration;
    return true;
}

bool Section::strings(std::string_view key, std::vector<Located<std::string>>& into) {
    const TomlMember* member = take(key);
    if (member == nullptr) {
        return false;
    }
    if (member->value.kind != TomlKind::Array) {
        wrong_type(*member, "an array of strings");
        return false;
    }
    for (const TomlValue& item : member->value.items) {
        if (item.kind != TomlKind::String) {
            fail(item.where, member->key + " must be an array of strings; this is " +
                                 std::string(describe(item.kind)));
            continue;
        }
        into.push_back({item.text, item.where});
    }
    return true;
}

std::optional<std::size_t> Section::one_of(std::string_view key,
                                           const std::vector<std::string>& words) {
    const TomlMember* member = take(key);
    if (member == nullptr) {
        return std::nullopt;
    }
    if (member->value.kind != TomlKind::String) {
        wrong_type(*member, "one of " + join(words));
        return std::nullopt;
    }
    const auto found = std::find(words.begin(), words.end(), member->value.text);
    if (found == words.end()) {
        fail(member->value.where, member->key + " must be one of " + join(words) + ", not \"" +
                                      member->value.text + "\"");
        return std::nullopt;
    }
    return static_cast<std::size_t>(found - words.begin());
}

const TomlValue* Section::table(std::string_view key) {
    const TomlMember* member = take(key);
    if (member == nullptr) {
        return nullptr;
    }
    if (member->value.kind != TomlKind::Table) {
        wrong_type(*member, "a table");
        return nullptr;
    }
    return &member->value;
}

std::vector<const TomlValue*> Section::tables(std::string_view key) {
    std::vector<const TomlValue*> found;
    const TomlMember* member = take(key);
    if (member == nullptr) {
        return found;
    }
    if (member->value.kind != TomlKind::Array) {
        wrong_type(*member, "an array of tables: write [[" + member->key + "]]");
        return found;
    }
    for (const TomlValue& item : member->value.items) {
        if (item.kind == TomlKind::Table) {
            found.push_back(&item);
        } else {
            fail(item.where, member->key + " must be an array of tables; this is " +
                                 std::string(describe(item.kind)));
        }
    }
    return found;
}

const TomlMember* Section::take(std::string_view key) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
        known_.emplace_back(key);
    }
    return table_ == nullptr ? nullptr : table_->find(key);
}

SourceLocation Section::where_of(std::string_view key, const SourceLocation& otherwise) {
    const TomlMember* member = take(key);
    return member == nullptr ? otherwise : member->value.where;
}

void Section::finish() {
    if (table_ == nullptr) {
        return;
    }
    for (const TomlMember& member : table_->members) {
        if (std::find(known_.begin(), known_.end(), member.key) == known_.end()) {
            fail(member.where,
                 "unknown key \"" + member.key + "\" in " + name_ + suggestion(member.key, known_));
        }
    }
}

void Section::wrong_type(const TomlMember& member, std::string_view expected) {
    fail(member.value.where, member.key + " must be " + std::string(expected) + ", not " +
                                 std::string(describe(member.value.kind)));
}

std::optional<Duration> to_duration(const TomlValue& value) {
    constexpr double kCentury = 100.0 * 366 * 86400;
    if ((value.kind != TomlKind::Integer && value.kind != TomlKind::Float) ||
        !std::isfinite(value.number) || value.number < 0 || value.number > kCentury) {
        return std::nullopt;
    }
    return Duration(std::llround(value.number * 1e9));
}

}  // namespace nsr::router
