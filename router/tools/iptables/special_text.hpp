// What the texts of special_match.cpp, special_match_more.cpp and special_target.cpp share.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/wire/address.hpp"
#include "router/tools/iptables/saved_rule.hpp"

namespace nsr::router {

struct TextStyle {
    Family family = Family::Ipv4;
    std::uint8_t protocol = 0;  // of the rule
    bool numeric = false;
};

// A text that rows cannot say; special_match.cpp, special_target.cpp. Null: there is none.
using SpecialText = std::string (*)(const SavedPart& part, const TextStyle& style);
SpecialText special_match(std::string_view module);
SpecialText special_target(std::string_view name);

struct SpecialRow {
    std::string_view name;  // of the match or target
    SpecialText text;
};
SpecialText find_special(std::span<const SpecialRow> rows, std::string_view name);

// Null: it is not among them.
const SavedOption* find_saved(const std::vector<SavedOption>& options, std::string_view name);
std::string saved_value(const SavedOption& option, std::size_t which = 0);
// "!" or nothing.
std::string bang_mark(bool inverted);
// `format` is of printf and takes one unsigned number.
std::string formatted(const char* format, std::uint32_t number);
// The name of "0x10/0x3f" and its like; empty: it has none.
std::string_view tos_name(std::string_view value_and_mask);

std::string comment_text(const SavedPart& part, const TextStyle& style);
std::string time_text(const SavedPart& part, const TextStyle& style);
std::string tos_match_text(const SavedPart& part, const TextStyle& style);
std::string connlimit_text(const SavedPart& part, const TextStyle& style);
std::string policy_text(const SavedPart& part, const TextStyle& style);
std::string owner_text(const SavedPart& part, const TextStyle& style);
std::string bpf_text(const SavedPart& part, const TextStyle& style);

}  // namespace nsr::router
