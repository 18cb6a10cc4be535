#include "core/rules/targets/standard.hpp"

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

CompiledTarget StandardTarget::compile() const {
    switch (kind_) {
        case Kind::Accept:
            return {.action = Action::Accept};
        case Kind::Drop:
            return {.action = Action::Drop};
        case Kind::Return:
            return {.action = Action::Return};
        case Kind::Jump:
            return {.action = Action::Jump};
        case Kind::Goto:
            return {.action = Action::Goto};
    }
    return {};
}

}  // namespace nsr::rules
