#include "core/pipeline/prepared_rules.hpp"

#include <utility>

#include "core/rules/set_use.hpp"

namespace nsr {

PreparedRules prepare_rules(rules::Ruleset next, const RulesBasis& basis) {
    sets::References named = rules::set_references(next);
    rules::TimeoutReferences timeouts = rules::timeout_references(next);
    auto leaving = pipeline::leaving_rules(basis.ruleset(), next);
    return {rules::Program(std::move(next), basis.interfaces, basis.program), std::move(named),
            std::move(timeouts), std::move(leaving)};
}

}  // namespace nsr
