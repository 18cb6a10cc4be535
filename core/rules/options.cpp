#include "core/rules/options.hpp"

#include "core/rules/words/text.hpp"

namespace nsr::rules {

void RuleContext::error(std::string message) const {
    error(GivenOption{.column = column}, std::move(message));
}

void RuleContext::error(const GivenOption& at, std::string message) const {
    SourceLocation place = where;
    if (at.column != 0) {
        place.column = at.column;
    }
    errors.push_back({std::move(place), std::move(message)});
}

void RuleContext::refuse(std::string message) const {
    refuse(GivenOption{.column = column}, std::move(message));
}

void RuleContext::refuse(const GivenOption& at, std::string message) const {
    error(at, std::move(message));
    errors.back().by_kernel = true;
}

const GivenOption* Options::find(std::string_view name) const {
    for (const GivenOption& option : given) {
        if (option.name == name) {
            return &option;
        }
    }
    return nullptr;
}

std::optional<std::uint64_t> read_number(const Options& options, const RuleContext& context,
                                         std::string_view name, std::uint64_t low,
                                         std::uint64_t high) {
    const GivenOption* given = options.find(name);
    if (given == nullptr) {
        return std::nullopt;
    }
    const auto number = parse_number(given->value, high);
    if (!number || *number < low) {
        context.error(*given, "--" + std::string(name) + " needs a number from " +
                                  std::to_string(low) + " to " + std::to_string(high) + ", not " +
                                  in_quotes(given->value));
        return std::nullopt;
    }
    return number;
}

}  // namespace nsr::rules
