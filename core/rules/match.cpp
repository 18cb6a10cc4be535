#include "core/rules/match.hpp"

#include "core/rules/code.hpp"

namespace nsr::rules {

void Match::compile(Code& code) const {
    code.emit_call(*this, searches_packet());
}

MatchResult Match::test(ActionParam&) const {
    return MatchResult::Yes;
}

}  // namespace nsr::rules
