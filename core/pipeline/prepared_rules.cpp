#include "core/pipeline/prepared_rules.hpp"

#include <utility>

namespace nsr {

PreparedRules prepare_rules(rules::Ruleset next, const RulesBasis& basis) {
    return {rules::Program(std::move(next), basis.interfaces, basis.program)};
}

}  // namespace nsr
