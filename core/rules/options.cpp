#include "core/rules/options.hpp"

namespace nsr::rules {

void RuleContext::error(std::string message) const {
    errors.push_back({where, std::move(message)});
}

void RuleContext::error(const GivenOption& at, std::string message) const {
    SourceLocation place = where;
    if (at.column != 0) {
        place.column = at.column;
    }
    errors.push_back({std::move(place), std::move(message)});
}

const GivenOption* Options::find(std::string_view name) const {
    for (const GivenOption& option : given) {
        if (option.name == name) {
            return &option;
        }
    }
    return nullptr;
}

}  // namespace nsr::rules
