#include "core/base/words.hpp"

#include <algorithm>

namespace nsr {

namespace {

// Words longer than this are nobody's slip of the pen.
constexpr std::size_t kLongestName = 64;

// Insertions, deletions, replacements and swapped neighbours (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            const std::size_t changed = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, changed});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) {
                d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
            }
        }
    }
    return d[a.size()][b.size()];
}

}  // namespace

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(at + 1);
    }
}

std::string join(const std::vector<std::string>& words, std::string_view separator) {
    std::string text;
    for (const std::string& word : words) {
        text.append(&word == words.data() ? "" : separator).append(word);
    }
    return text;
}

std::string lower(std::string_view text) {
    std::string result(text);
    for (char& c : result) {
        if (c >= 'A' && c <= 'Z') {
            c = static_cast<char>(c - 'A' + 'a');
        }
    }
    return result;
}

std::string exchanged(std::string_view text, char one, char other) {
    std::string result(text);
    for (char& c : result) {
        if (c == one) {
            c = other;
        } else if (c == other) {
            c = one;
        }
    }
    return result;
}

std::string in_quotes(std::string_view text) {
    return "\"" + std::string(text) + "\"";
}

void append(std::string& text, std::string_view word) {
    if (!text.empty()) {
        text += ' ';
    }
    text += word;
}

std::optional<std::vector<Word>> split_words(std::string_view line, Quoting quoting) {
    const bool shell = quoting == Quoting::Shell;
    std::vector<Word> words;
    bool in_word = false;
    char open = '\0';  // the quote that we are in
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        if (open == '\0' && (c == ' ' || c == '\t' || c == '\r')) {
            in_word = false;
            continue;
        }
        if (!in_word) {
            words.push_back({"", static_cast<std::uint32_t>(i + 1), false});
            in_word = true;
        }
        const bool escapes = open == '"' || (shell && open == '\0');
        const bool opens = open == '\0' && (c == '"' || (shell && c == '\''));
        if (escapes && c == '\\' && i + 1 < line.size()) {
            words.back().text += line[++i];
        } else if (opens) {
            open = c;
            words.back().quoted = true;
        } else if (open != '\0' && c == open) {
            open = '\0';
            in_word = shell;
        } else {
            words.back().text += c;
        }
    }
    return open == '\0' ? std::optional(std::move(words)) : std::nullopt;
}

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& names) {
    std::string_view best;
    std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
    const std::string folded = lower(word.substr(0, kLongestName));
    for (const std::string_view name : names) {
        const std::size_t distance = edit_distance(folded, lower(name));
        if (distance < best_distance && distance < name.size()) {
            best = name;
            best_distance = distance;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& names) {
    const std::string_view name = nearest(word, names);
    return name.empty() ? std::string() : "; did you mean " + in_quotes(name) + "?";
}

}  // namespace nsr
