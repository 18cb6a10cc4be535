#include "core/rules/targets/standard.hpp"

#include "core/base/check.hpp"
#include "core/rules/ruleset.hpp"

namespace nsr::rules {

Target::Jump StandardTarget::jump() const {
    switch (kind_) {
        case Kind::Jump:
            return Jump::Call;
        case Kind::Goto:
            return Jump::Goto;
        default:
            return Jump::None;
    }
}

CompiledTarget StandardTarget::compile(const Table& table) const {
    switch (kind_) {
        case Kind::Accept:
            return {.action = Action::Accept};
        case Kind::Drop:
            return {.action = Action::Drop};
        case Kind::Return:
            return {.action = Action::Return};
        case Kind::Jump:
        case Kind::Goto:
            break;
    }
    const Chain* chain = table.find(name());
    NSR_CHECK(chain != nullptr);
    return {.action = kind_ == Kind::Jump ? Action::Jump : Action::Goto,
            .operand = static_cast<std::uint32_t>(chain - table.chains.data())};
}

}  // namespace nsr::rules
