#include "core/rules/program/rule_places.hpp"

#include <algorithm>

namespace nsr::rules {

void RulePlaces::finish() {
    std::sort(spans_.begin(), spans_.end(),
              [](const Span& a, const Span& b) { return raw(a.block.least) < raw(b.block.least); });
    RuleId reach = RuleId::None;
    for (Span& span : spans_) {
        reach = std::max(reach, span.block.most);
        span.reach = reach;
    }
}

std::optional<RulePlace> RulePlaces::find(RuleId id) const {
    auto at = std::upper_bound(
        spans_.begin(), spans_.end(), id,
        [](RuleId wanted, const Span& each) { return raw(wanted) < raw(each.block.least); });
    while (at != spans_.begin() && raw((--at)->reach) >= raw(id)) {
        const Block& block = at->block;
        if (raw(block.most) < raw(id)) {
            continue;
        }
        const auto& rows = block.rules->rows;
        const auto row = std::find_if(rows.begin(), rows.end(),
                                      [&](const RuleBlock::Row& each) { return each.id == id; });
        if (row != rows.end()) {
            const auto number = static_cast<std::uint32_t>(row - rows.begin() + 1);
            return RulePlace{block.table, block.chain->name, block.before + number,
                             row->rule.get()};
        }
    }
    return std::nullopt;
}

}  // namespace nsr::rules
