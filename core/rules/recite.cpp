#include "core/rules/recite.hpp"

#include <algorithm>

#include "core/base/words.hpp"

namespace nsr::rules {

std::optional<std::string> recite(const Options& options, const RuleContext& context,
                                  std::span<const OptionForm> forms) {
    std::string text;
    for (const OptionForm& row : forms) {
        const GivenOption* given = options.find(row.name);
        if (given == nullptr) {
            continue;
        }
        append(text, std::string(bang(given->inverted)) + "--" + std::string(row.name));
        if (row.form == nullptr) {
            continue;
        }
        const auto value = row.form(given->value, context.family);
        if (!value) {
            context.error(*given, "--" + std::string(row.name) + " needs " +
                                      std::string(row.expected) + ", not " +
                                      in_quotes(given->value));
            return std::nullopt;
        }
        append(text, *value);
    }
    return text;
}

bool has_one_of(const Options& options, const RuleContext& context,
                std::initializer_list<std::string_view> names) {
    std::string list;
    for (const std::string_view name : names) {
        if (options.has(name)) {
            return true;
        }
        if (!list.empty()) {
            list += name == *(names.end() - 1) ? " or " : ", ";
        }
        list += "--" + std::string(name);
    }
    context.error(in_quotes(options.module) + " needs " + list);
    return false;
}

bool all_inverted(const Options& options) {
    return std::all_of(options.given.begin(), options.given.end(),
                       [](const GivenOption& given) { return given.inverted; });
}

namespace form {

std::string plain_or_quoted(std::string_view value) {
    return whole_word(value);
}

std::optional<std::string> in_double_quotes(std::string_view value, Family) {
    std::string text = "\"";
    for (const char c : value) {
        text += c == '"' || c == '\\' ? "\\" : "";
        text += c;
    }
    return text + "\"";
}

std::optional<std::string> address(std::string_view value, Family family) {
    const std::size_t slash = value.find('/');
    const auto masked = parse_masked_address(value, family);
    const auto own = parse_address(value.substr(0, slash));
    if (!masked) {
        return std::nullopt;
    }
    MaskedAddress shown = *masked;
    if (own && own->family == family) {
        shown.address = *own;
    }
    const std::string text = to_string(shown);
    const std::string host = family == Family::Ipv6 ? "/128" : "/32";
    return text.ends_with(host) ? text.substr(0, text.size() - host.size()) : text;
}

}  // namespace form

}  // namespace nsr::rules
