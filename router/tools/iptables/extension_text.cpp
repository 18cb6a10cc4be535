#include "router/tools/iptables/extension_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "core/rules/words/text.hpp"
#include "router/tools/iptables/special_text.hpp"

namespace nsr::router {
namespace {

std::string placeholder(char kind, const SavedOption& option) {
    const bool inverted = option.inverted;
    switch (kind) {
        case '1':
            return saved_value(option, 0);
        case '2':
            return saved_value(option, 1);
        case 'B':
            return inverted ? "! " : "";
        case 'b':
            return inverted ? "!" : "";
        case 'S':
            return inverted ? "! " : " ";
        case 'Q':
            return inverted ? "!=" : "==";
        case 'E':
            return inverted ? "!=" : "=";
        case 'r':
            return saved_value(option, 0).find(':') == std::string::npos ? "" : "s";
        case 'q':
            return rules::quoted(saved_value(option, 0));
        default: {
            std::string list = saved_value(option, 0);
            std::replace(list.begin(), list.end(), ',', '-');
            return list;
        }
    }
}

std::string expand(std::string_view text, const SavedOption& option) {
    std::string expanded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 1 < text.size()) {
            expanded += placeholder(text[++i], option);
        } else {
            expanded += text[i];
        }
    }
    return expanded;
}

std::string as_saved(const SavedPart& part) {
    std::string text = " " + part.name;
    for (const Word& word : part.words) {
        text += " " + (word.quoted ? rules::quoted(word.text) : word.text);
    }
    return text;
}

std::string shown(const ExtensionRow& row, const std::vector<SavedOption>& options) {
    if (row.option.empty()) {
        return std::string(row.text);
    }
    const SavedOption* given = find_saved(options, row.option);
    return given == nullptr ? std::string(row.otherwise) : expand(row.text, *given);
}

std::string by_rows(const SavedPart& part, RowTables tables) {
    const std::vector<SavedOption> options = part.options();
    std::string text;
    bool known = false;
    for (const std::span<const ExtensionRow> rows : tables) {
        for (const ExtensionRow& row : rows) {
            if (row.module == part.name) {
                known = true;
                text += shown(row, options);
            }
        }
    }
    return known ? text : as_saved(part);
}

}  // namespace

const SavedOption* find_saved(const std::vector<SavedOption>& options, std::string_view name) {
    const auto found = std::find_if(options.begin(), options.end(),
                                    [&](const SavedOption& each) { return each.name == name; });
    return found == options.end() ? nullptr : &*found;
}

std::string saved_value(const SavedOption& option, std::size_t which) {
    return which < option.values.size() ? option.values[which] : std::string();
}

std::string bang_mark(bool inverted) {
    return inverted ? "!" : "";
}

std::string formatted(const char* format, std::uint32_t number) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), format, number);
    return text.data();
}

std::string match_text(const SavedPart& match, const TextStyle& style) {
    if (const SpecialText special = special_match(match.name)) {
        return special(match, style);
    }
    return by_rows(match, match_rows());
}

std::string target_text(const SavedPart& target, const TextStyle& style) {
    if (const SpecialText special = special_target(target.name)) {
        return special(target, style);
    }
    return by_rows(target, target_rows());
}

}  // namespace nsr::router
