#include "core/rules/matches/headers/index_range.hpp"

#include "core/rules/words/text.hpp"

namespace nsr::rules {

bool read_index_range(const Options& options, const RuleContext& context, std::string_view name,
                      IndexRange& range) {
    const GivenOption* given = options.find(name);
    if (given == nullptr) {
        return true;
    }
    const auto parsed = parse_range(given->value, 0xffffffff);
    if (!parsed) {
        context.error(*given, in_quotes(given->value) + " is not a number or a range a:b");
        return false;
    }
    range = {static_cast<std::uint32_t>(parsed->low), static_cast<std::uint32_t>(parsed->high),
             given->inverted};
    return true;
}

bool read_index(const Options& options, const RuleContext& context, std::string_view name,
                IndexRange& range) {
    const GivenOption* given = options.find(name);
    if (given == nullptr) {
        return true;
    }
    const auto number = read_number(options, context, name, 0, 0xffffffff);
    if (number) {
        const auto value = static_cast<std::uint32_t>(*number);
        range = {value, value, given->inverted};
    }
    return number.has_value();
}

void append_index_range(std::string_view option, const IndexRange& range, std::string& text) {
    if (!range.trivial()) {
        append(text, std::string(bang(range.invert)) + std::string(option) + " " +
                         std::to_string(range.low) +
                         (range.low == range.high ? "" : ":" + std::to_string(range.high)));
    }
}

}  // namespace nsr::rules
