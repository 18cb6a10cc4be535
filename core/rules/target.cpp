#include "core/rules/target.hpp"

namespace nsr::rules {

TargetVerdict Target::apply(ActionParam&, TableVerdict&) const {
    return TargetVerdict::Continue;
}

}  // namespace nsr::rules
