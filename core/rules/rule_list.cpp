#include "core/rules/rule_list.hpp"

#include <utility>

#include "core/base/check.hpp"
#include "core/rules/match.hpp"
#include "core/rules/target.hpp"

namespace nsr::rules {

namespace {

std::ptrdiff_t signed_of(std::size_t row) {
    return static_cast<std::ptrdiff_t>(row);
}

}  // namespace

RuleBlock::Row RuleBlock::row(std::shared_ptr<const Rule> rule) {
    Row made{.id = rule->id, .hooks = kAllHooks, .unconditional = rule->matches.empty()};
    for (const auto& match : rule->matches) {
        made.hooks &= match->hooks();
        made.needs_tracking |= match->needs_tracking();
        made.needs_accounting |= match->needs_accounting();
        made.names_sets |= !match->set_name().empty();
    }
    if (const Target* target = rule->target.get()) {
        made.hooks &= target->hooks();
        made.needs_tracking |= target->needs_tracking();
        made.jumps = target->jump() != Target::Jump::None;
        made.names_sets |= !target->set_names().empty();
        made.names_timeout = target->timeout_use() != nullptr;
    }
    made.rule = std::move(rule);
    return made;
}

RuleList::Position RuleList::find(std::size_t at) const {
    NSR_CHECK(at < size_);
    Position found{0, at};
    while (found.row >= blocks_[found.block]->rows.size()) {
        found.row -= blocks_[found.block]->rows.size();
        ++found.block;
    }
    return found;
}

const RuleBlock::Row& RuleList::row(std::size_t at) const {
    const auto [block, row] = find(at);
    return blocks_[block]->rows[row];
}

void RuleList::insert(std::size_t at, std::shared_ptr<const Rule> rule) {
    NSR_CHECK(at <= size_);
    if (blocks_.empty()) {
        blocks_.emplace_back();
    }
    // At the end of a block rather than at the beginning of the next.
    Position to{0, at};
    while (to.row > blocks_[to.block]->rows.size()) {
        to.row -= blocks_[to.block]->rows.size();
        ++to.block;
    }
    if (blocks_[to.block]->rows.size() == RuleBlock::kMost) {
        if (to.row == RuleBlock::kMost && to.block + 1 == blocks_.size()) {
            blocks_.emplace_back();
            to = {to.block + 1, 0};
        } else {
            split(to.block);
            const std::size_t half = blocks_[to.block]->rows.size();
            to = to.row > half ? Position{to.block + 1, to.row - half} : to;
        }
    }
    auto& rows = blocks_[to.block].change().rows;
    rows.insert(rows.begin() + signed_of(to.row), RuleBlock::row(std::move(rule)));
    ++size_;
}

void RuleList::replace(std::size_t at, Rule rule) {
    const auto [block, row] = find(at);
    blocks_[block].change().rows[row] =
        RuleBlock::row(std::make_shared<const Rule>(std::move(rule)));
}

void RuleList::erase(std::size_t at) {
    const auto [block, row] = find(at);
    auto& rows = blocks_[block].change().rows;
    rows.erase(rows.begin() + signed_of(row));
    --size_;
    if (rows.empty()) {
        blocks_.erase(blocks_.begin() + signed_of(block));
    } else {
        merge(block);
        merge(block - 1);
    }
}

void RuleList::split(std::size_t block) {
    const auto& rows = blocks_[block]->rows;
    const auto middle = rows.begin() + signed_of(rows.size() / 2);
    Cow<RuleBlock> behind(RuleBlock{{middle, rows.end()}});
    blocks_[block] = Cow<RuleBlock>(RuleBlock{{rows.begin(), middle}});
    blocks_.insert(blocks_.begin() + signed_of(block + 1), std::move(behind));
}

void RuleList::merge(std::size_t block) {
    if (block >= blocks_.size() || block + 1 >= blocks_.size()) {
        return;
    }
    const auto& behind = blocks_[block + 1]->rows;
    if (blocks_[block]->rows.size() + behind.size() > RuleBlock::kMost / 2) {
        return;
    }
    auto& rows = blocks_[block].change().rows;
    rows.insert(rows.end(), behind.begin(), behind.end());
    blocks_.erase(blocks_.begin() + signed_of(block + 1));
}

}  // namespace nsr::rules
